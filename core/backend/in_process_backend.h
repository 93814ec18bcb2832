// How an environment's execute() gets to a running job: finds the executor plugin, and gives it
// what it needs to translate and run.
//
// Begin here; running_jobs.h keeps the jobs that run in this process.
//
// Threads    Any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/detail/backend.h"
#include "freshet/plugin/executor.h"
#include "plugin_catalog/plugin_catalog.h"
#include "process/main_end.h"
#include "translation/translator_registry.h"

namespace freshet::core {

class FRESHET_API InProcessBackend final : public detail::ExecutionBackend,
                                           public ExecutorServices {
 public:
  // The one of this process.
  static InProcessBackend& instance();

  // What a tool has made of files, environment and command line; before the first environment is
  // made. Without it the first configuration() loads files and environment, and a program that
  // names no target runs its jobs locally: it can run nowhere else.
  void set_configuration(Configuration configuration);
  // The plugins of the configuration's search path; scanned when first asked for.
  PluginCatalog& catalog();

  // The one cluster to which this process's jobs go, whatever the configuration names: of a main
  // that runs on a cluster. Before that main begins.
  void set_cluster(std::shared_ptr<ClusterClient> cluster, std::string application_id);

  // Main runs in this process, and its jobs go to the cluster that the configuration names: tells
  // it so, under that name. Without it the first job does, under the program's name. Throws
  // InvalidInput (the cluster refuses it, as another one has its id) or ClusterUnreachable.
  void begin_application(const Configuration& configuration, const std::string& name);
  // How that main has ended; all clusters to which jobs went are told, if they answer soon. Once;
  // exit() does it with its code. Nothing if no application has begun.
  void end_application(int exit_code, const MainEnd& end);

  // Waits until every job that was handed to an executor has been taken or refused.
  void wait_for_submissions();

  // Whether an executor has taken a job.
  bool has_submitted() const { return submitted_; }

  Configuration configuration() override;
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override;
  std::unique_ptr<JobClient> job_client(const Configuration& configuration) override;
  JobGraph translate(const Pipeline& pipeline, const Configuration& configuration) override;
  // The same, for a job that is only looked at: its warnings are not logged.
  JobGraph plan(const Pipeline& pipeline, const Configuration& configuration);
  std::unique_ptr<JobClient> run_in_process(const std::string& job_graph,
                                            const Configuration& configuration) override;
  std::shared_ptr<ClusterClient> cluster(const Configuration& configuration) override;
  std::string application_id() const override;

 private:
  InProcessBackend();
  // Those that the pipeline may ask for by name. Returns which ones were skipped, and why.
  std::vector<std::string> load_operator_libraries(const Pipeline& pipeline);
  // Those of the front ends, if none is known for the pipeline.
  void load_translators(const Pipeline& pipeline);
  std::shared_ptr<ClusterClient> connected(const Configuration& configuration);
  void begin_at(const std::shared_ptr<ClusterClient>& cluster);
  Executor& executor_for(const Configuration& configuration);

  std::atomic<bool> submitted_{false};
  mutable std::mutex mutex_;
  std::unique_ptr<Configuration> configuration_;
  std::unique_ptr<PluginCatalog> catalog_;
  std::map<const ExecutorFactory*, std::unique_ptr<Executor>> executors_;
  std::shared_ptr<ClusterClient> own_cluster_;
  std::map<std::string, std::shared_ptr<ClusterClient>> clusters_;  // by target and id
  std::vector<Future<void>> submissions_;
  std::string application_id_, application_name_;
  std::mutex application_mutex_;  // held while clusters are told of it
  std::vector<std::shared_ptr<ClusterClient>> begun_at_;
  std::string ticket_;      // of the application
  bool main_over_ = false;  // its end has been told
  TranslatorRegistry translators_;
  std::mutex translators_mutex_;  // held while front ends are asked for theirs
};

}  // namespace freshet::core
