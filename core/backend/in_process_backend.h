// How an environment's execute() gets to a running job: what this process has for the SDK, and for
// executor plugins.
//
// Begin here; each part has its file.
//
// Threads    Any.
#pragma once

#include <memory>
#include <string>

#include "backend/executors.h"
#include "backend/own_application.h"
#include "backend/pipeline_translation.h"
#include "backend/process_configuration.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/detail/backend.h"
#include "freshet/plugin/executor.h"

namespace freshet::core {

class FRESHET_API InProcessBackend final : public detail::ExecutionBackend,
                                           public ExecutorServices {
 public:
  // The one of this process.
  static InProcessBackend& instance();

  // See ProcessConfiguration. Before the first environment is made.
  void set_configuration(Configuration configuration) { process_.set(std::move(configuration)); }
  PluginCatalog& catalog() { return process_.catalog(); }

  // See OwnApplication. exit() ends a main that has begun here, with its code.
  void set_cluster(std::shared_ptr<ClusterClient> cluster, std::string application_id) {
    application_.set_cluster(std::move(cluster), std::move(application_id));
  }
  void begin_application(const Configuration& configuration, const std::string& name) {
    application_.begin(configuration, name);
  }
  void end_application(int exit_code, const MainEnd& end) { application_.end(exit_code, end); }
  bool has_lost_records() const { return application_.has_lost_records(); }

  // See Executors.
  void wait_for_submissions() { executors_.wait_for_submissions(); }
  bool has_submitted() const { return executors_.has_submitted(); }

  // See PipelineTranslation.
  JobGraph plan(const Pipeline& pipeline, const Configuration& configuration) {
    return translation_.plan(pipeline, configuration);
  }

  Configuration configuration() override { return process_.get(); }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    return executors_.execute(pipeline, configuration);
  }
  std::unique_ptr<JobClient> job_client(const Configuration& configuration) override;
  JobGraph translate(const Pipeline& pipeline, const Configuration& configuration) override {
    return translation_.translate(pipeline, configuration);
  }
  std::unique_ptr<JobClient> run_in_process(const std::string& job_graph,
                                            const Configuration& configuration) override;
  std::shared_ptr<ClusterClient> cluster(const Configuration& configuration) override {
    return application_.cluster(configuration);
  }
  std::string application_id() const override { return application_.id(); }

 private:
  InProcessBackend();

  ProcessConfiguration process_;
  PipelineTranslation translation_;
  OwnApplication application_;
  Executors executors_;
};

}  // namespace freshet::core
