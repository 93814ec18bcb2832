// EXECUTOR_NAME is the plugin's name; it says yes to any target that begins with EXECUTOR_PREFIX.
#include "freshet/plugin/executor.h"

#include <stdexcept>
#include <string>

#include "freshet/configuration.h"
#include "freshet/options.h"
#include "freshet/plugin/plugin_registration.h"
#ifdef EXECUTOR_LEAVES_A_MARKER
#include "marker.h"
#endif

#ifndef EXECUTOR_VERSION
#define EXECUTOR_VERSION "0.1.0"
#endif

namespace {

class PrefixExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return EXECUTOR_NAME; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    const std::string target = configuration.get(freshet::options::kExecutionTarget);
    if (target == "quarrel") throw std::runtime_error("I do not talk of this");
    return target.rfind(EXECUTOR_PREFIX, 0) == 0;
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices&) const override {
    throw std::runtime_error("runs nothing");
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN(EXECUTOR_NAME, EXECUTOR_VERSION, PrefixExecutorFactory);
