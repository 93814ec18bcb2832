#include "network/transport.h"

namespace freshet::core {

Transport::~Transport() = default;

}  // namespace freshet::core
