// A TaskRunner that plays its part of a job: opens, runs for some time, fails, crashes its process,
// hangs when it is canceled, as the job and a seed have it.
//
// Threads    That of the SimulatedThread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "simulation/seeded_random.h"
#include "worker/task_runner.h"

namespace freshet::core {

// How a job behaves, as settings of its graph. "One in": of so many workers; 0: none.
struct FRESHET_API JobBehaviour {
  std::int64_t runs_ms = 100;  // -1: until it is canceled
  std::uint64_t fails_one_in = 0;
  std::uint64_t crashes_one_in = 0;
  std::uint64_t hangs_one_in = 0;    // does not end when it is canceled
  std::uint64_t refuses_one_in = 0;  // can't be deployed
  std::int64_t commits_ms = -1;      // each has an output, committed within that time; -1: none
  std::uint64_t commit_fails_one_in = 0;
  std::uint64_t commit_hangs_one_in = 0;  // of outputs: it never returns

  std::string text() const;
  static JobBehaviour from(const std::string& text);  // of text()
};
inline constexpr const char* kJobBehaviour = "simulated.behaviour";

class FRESHET_API SimulatedTasks final : public TaskRunner {
 public:
  // `crash` ends the process, later.
  SimulatedTasks(ControlThread& thread, std::uint64_t seed, std::string node,
                 std::function<void()> crash);
  ~SimulatedTasks() override;

  Address listen(bool one_host, const std::string& folder, const std::string& host) override;
  void admit_reader(const PublicKey& key) override;
  void deploy(const Deployment& deployment, TaskRunnerListener& listener) override;
  void open_gate() override;
  void commit() override;
  void commit_prepared(CommitRequest request, OutcomeTold told) override;
  void cancel() override;
  TaskReport report() const override;
  // Its connection to that worker has ended.
  void peer_ended(std::uint32_t worker);

 private:
  void later(std::int64_t at_most_ms, std::function<void()> what);
  void end();

  ControlThread& thread_;
  SeededRandom random_;
  const std::string node_;
  const std::function<void()> crash_;
  JobBehaviour behaviour_;
  TaskRunnerListener* listener_ = nullptr;
  std::vector<std::uint32_t> subtasks_;
  std::vector<OutcomeTold> hung_;  // never called
  bool canceled_ = false, failed_ = false, finished_ = false, hangs_ = false, ended_ = false;
  Alive alive_;
};

}  // namespace freshet::core
