#include "worker/task_runner.h"

namespace freshet {

TaskRunnerListener::~TaskRunnerListener() = default;
TaskRunner::~TaskRunner() = default;

}  // namespace freshet
