// Runs jobs in the process that asks.
#include "freshet/plugin/executor.h"

#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

class KeptExecutor final : public freshet::Executor {
 public:
  explicit KeptExecutor(freshet::ExecutorServices& services) : services_(services) {}
  freshet::Future<std::unique_ptr<freshet::JobClient>> execute(
      const freshet::Pipeline& pipeline, const freshet::Configuration& configuration) override {
    freshet::Promise<std::unique_ptr<freshet::JobClient>> submitted;
    try {
      if (!services_.application_id().empty()) throw freshet::Error("this is no cluster");
      const freshet::JobGraph graph = services_.translate(pipeline, configuration);
      submitted.set_value(services_.run_in_process(graph.to_bytes(), configuration));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  freshet::ExecutorServices& services_;
};

class KeptExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return "kept"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kExecutionTarget) == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<KeptExecutor>(services);
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("kept-executor", "1.0.0", KeptExecutorFactory);
