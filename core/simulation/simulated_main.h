// A simulated main, in a runner or in a client: submits jobs by the client that real ones use, then
// ends in one of the ways in which mains end.
//
// Threads    That of the SimulatedThread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "process/process_spawner.h"
#include "simulation/simulated_host.h"
#include "simulation/simulated_tasks.h"

namespace freshet::core {

// As arguments of an application.
struct FRESHET_API MainScript {
  enum class End : std::uint8_t { kReturns, kThrows, kExits, kCrashes, kNever };
  std::uint32_t jobs = 1;
  bool at_once = false;  // else each waits for the one before, and a failed one ends main
  std::uint32_t parallelism = 1;
  bool same_id = false;  // all of them ask for one job id
  JobBehaviour behaviour;
  std::string settings;  // more of each job: "key=value;key=value"
  End end = End::kReturns;

  std::vector<std::string> arguments() const;
  static MainScript from(const std::vector<std::string>& arguments);
};

// A job of one vertex in one module, by that hash.
FRESHET_API std::string simulated_job(const std::string& id, const std::string& name,
                                      const std::string& module_sha256, std::uint32_t parallelism,
                                      const JobBehaviour& behaviour,
                                      const std::string& settings = "");

class FRESHET_API SimulatedMain {
 public:
  struct Start {
    std::string application_id, name;
    MainScript script;
    std::string module_sha256;  // the file that its jobs have their operators in
  };
  // `client` outlives it. `exit` may end it.
  SimulatedMain(ControlThread& thread, ClusterClient& client, Start start,
                std::function<void(ProcessEnd)> exit);
  ~SimulatedMain();
  void run();

 private:
  void next();
  void submitted(const Future<std::unique_ptr<JobClient>>& done);
  void finish();
  void exit_with(int code, const std::string& reason);

  ControlThread& thread_;
  ClusterClient& client_;
  const Start start_;
  const MainScript& script_;
  const std::function<void(ProcessEnd)> exit_;
  std::uint32_t submitted_ = 0;
  std::vector<std::unique_ptr<JobClient>> jobs_;
  Alive alive_;
};

}  // namespace freshet::core
