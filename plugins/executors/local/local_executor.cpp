// Runs jobs on threads of the very process that main runs in: for development, tests and programs
// that bring Freshet along. Asked for by name: --target=local.
#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"

namespace {

class LocalExecutor final : public freshet::Executor {
 public:
  explicit LocalExecutor(freshet::ExecutorServices& services) : services_(services) {}

  freshet::Future<std::unique_ptr<freshet::JobClient>> execute(
      const freshet::Pipeline& pipeline, const freshet::Configuration& configuration) override {
    freshet::Promise<std::unique_ptr<freshet::JobClient>> submitted;
    try {
      // Through its bytes, as on a cluster: what does not travel does not work here either.
      const std::string job = services_.translate(pipeline, configuration).to_bytes();
      submitted.set_value(services_.run_in_process(job, configuration));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  freshet::ExecutorServices& services_;
};

class LocalExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return freshet::kLocalTarget; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return freshet::Target::of(configuration).text() == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<LocalExecutor>(services);
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("local", FRESHET_VERSION_STRING, LocalExecutorFactory);
