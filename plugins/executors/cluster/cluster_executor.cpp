// Runs jobs on a cluster, by its ClusterClient and nothing else: in a main that runs on a cluster,
// and for the targets of sessions. For main it is the same.
#include "freshet/cluster_client.h"
#include "freshet/configuration.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"

namespace {

class ClusterExecutor final : public freshet::Executor {
 public:
  explicit ClusterExecutor(freshet::ExecutorServices& services) : services_(services) {}

  freshet::Future<std::unique_ptr<freshet::JobClient>> execute(
      const freshet::Pipeline& pipeline, const freshet::Configuration& configuration) override {
    try {
      const std::string job = services_.translate(pipeline, configuration).to_bytes();
      return services_.cluster(configuration)->submit_job(job, services_.application_id());
    } catch (...) {
      return freshet::make_failed_future<std::unique_ptr<freshet::JobClient>>(
          std::current_exception());
    }
  }

 private:
  freshet::ExecutorServices& services_;
};

class ClusterExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return freshet::kTargetOnCluster; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    const auto target = freshet::Target::of(configuration);
    return target.is_session || target.name == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<ClusterExecutor>(services);
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("cluster", FRESHET_VERSION_STRING, ClusterExecutorFactory);
