#include "rpc/control_thread.h"

#include "rpc/transport.h"

namespace freshet {

ControlThread::~ControlThread() = default;
Transport::~Transport() = default;

}  // namespace freshet
