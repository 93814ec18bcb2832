#include "worker/task_runner.h"

#include <utility>

namespace freshet::core {

TaskRunnerListener::~TaskRunnerListener() = default;
void TaskRunnerListener::peer_lost(std::uint32_t, FailureInfo failure) {
  tasks_failed(std::move(failure));
}
TaskRunner::~TaskRunner() = default;

}  // namespace freshet::core
