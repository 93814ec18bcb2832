// Executors run a Pipeline on one kind of target. They are plugins (kind "executor"): core finds
// them at run time, asks every factory whether it is compatible with the configuration, and takes
// the one that says yes. After FLIP-73.
#pragma once

#include <memory>
#include <string>

#include "freshet/api.h"
#include "freshet/future.h"

namespace freshet {

class ClusterClient;
class Configuration;
class JobClient;
class JobGraph;
class Pipeline;

// What core offers to an executor. Threads: any. Lives as long as the process.
class FRESHET_API ExecutorServices {
 public:
  virtual ~ExecutorServices();
  // Throws InvalidInput if no translator knows this kind of pipeline or the pipeline can't be.
  virtual JobGraph translate(const Pipeline& pipeline, const Configuration& configuration) = 0;
  // Runs a serialised JobGraph on scheduler threads of this very process.
  virtual std::unique_ptr<JobClient> run_in_process(const std::string& job_graph,
                                                    const Configuration& configuration) = 0;
  // The cluster that the configuration names: by cluster.id, or the only one there is; the
  // application's own in a main that runs on a cluster. Connects at most once for each. Throws
  // InvalidInput that names where it looked, or ClusterUnreachable.
  virtual std::shared_ptr<ClusterClient> cluster(const Configuration& configuration) = 0;
  // The application whose main this process runs; empty if it runs none on a cluster.
  virtual std::string application_id() const = 0;
};

class FRESHET_API Executor {
 public:
  virtual ~Executor();
  // Submits and returns at once; the future fails if the job could not be submitted. [any thread]
  virtual Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                                     const Configuration& configuration) = 0;
};

// Stateless. An exception from is_compatible_with() makes core skip the plugin with a warning.
class FRESHET_API ExecutorFactory {
 public:
  virtual ~ExecutorFactory();
  // The target that this executor stands for, as in --target=NAME.
  virtual const char* name() const = 0;
  // Reads the configuration alone: no files, no network.
  virtual bool is_compatible_with(const Configuration& configuration) const = 0;
  // `services` outlives the executor.
  virtual std::unique_ptr<Executor> create(ExecutorServices& services) const = 0;
};

}  // namespace freshet
