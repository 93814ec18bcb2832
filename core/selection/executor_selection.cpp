#include "selection/executor_selection.h"

namespace freshet::core {

NoExecutor::~NoExecutor() = default;
SeveralExecutors::~SeveralExecutors() = default;

SelectedExecutor select_executor(PluginCatalog& catalog, const Configuration& configuration) {
  return select_factory<ExecutorFactory, NoExecutor, SeveralExecutors>(
      catalog, FRESHET_KIND_EXECUTOR, "run", configuration);
}

std::unique_ptr<Executor> make_executor(const SelectedExecutor& selected,
                                        ExecutorServices& services) {
  return make_from<Executor>(selected, "ExecutorFactory", "an executor", services);
}

}  // namespace freshet::core
