// How an environment reaches the runtime. Core gives the SDK one backend per process:
// libfreshet-core is loaded when the first environment is made, unless a tool has brought it along.
#pragma once

#include <memory>

#include "freshet/api.h"
#include "freshet/future.h"

namespace freshet {

class Configuration;
class JobClient;
class Pipeline;

namespace detail {

class FRESHET_API ExecutionBackend {
 public:
  virtual ~ExecutionBackend();
  // What stands in files, environment and command line. [any thread]
  virtual Configuration configuration() = 0;
  // Finds the executor for the configuration and hands the pipeline on. The pipeline must live
  // until the future is ready.
  virtual Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                                     const Configuration& configuration) = 0;
  // As JobClient::from() has it; throws InvalidInput, as by default, where no cluster is known.
  virtual std::unique_ptr<JobClient> job_client(const Configuration& configuration);
};

// Never null; throws Error if core can't be loaded.
FRESHET_API ExecutionBackend& execution_backend();
// Replaces the backend, for the tools; null restores core's. Not while a job is being submitted.
FRESHET_API void set_execution_backend(ExecutionBackend* backend);

}  // namespace detail
}  // namespace freshet

// What libfreshet-core exports for this purpose.
extern "C" FRESHET_API freshet::detail::ExecutionBackend* freshet_core_backend();
