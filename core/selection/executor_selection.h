// Which executor runs a pipeline: every executor plugin is asked whether it is compatible with the
// configuration, and exactly one must say yes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/plugin/executor.h"
#include "selection/factory_selection.h"

namespace freshet::core {

using SelectedExecutor = SelectedFactory<ExecutorFactory>;

// Nobody said yes. Tells what was found, what was refused, where it looked, and the nearest name.
class FRESHET_API NoExecutor final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~NoExecutor() override;
};

// More than one said yes. Tells their names and files.
class FRESHET_API SeveralExecutors final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~SeveralExecutors() override;
};

// Loads every executor plugin. Throws NoExecutor or SeveralExecutors. [any thread]
FRESHET_API SelectedExecutor select_executor(PluginCatalog& catalog,
                                             const Configuration& configuration);

// Asks the selected factory for its executor. An InvalidInput or other Error of its own passes;
// RefusedFile if it gives nothing, takes too long, or throws anything else. [any thread]
FRESHET_API std::unique_ptr<Executor> make_executor(const SelectedExecutor& selected,
                                                    ExecutorServices& services);

}  // namespace freshet::core
