// More task managers while jobs wait for slots, and fewer again once those are idle: asks the
// deployer, where it can give them (resource-manager.max-task-managers).
//
// A job that waits and would fit into what may be started is one to ask for. The deployer's own
// list, asked for anew each time, tells who is on the way already, so nobody is asked for twice.
// What fails is tried three times, with growing pauses; then no more until another job waits. Only
// those that were brought on demand are released.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/future.h"
#include "resource_manager/resource_manager.h"
#include "resource_manager/task_managers.h"

namespace freshet::core {

// The deployer of this cluster, as ClusterDeployer has it. Futures complete on the control thread;
// no call comes before the one before it is complete.
class FRESHET_API TaskManagerSupply {
 public:
  virtual ~TaskManagerSupply();
  virtual Future<std::vector<std::string>> task_managers() = 0;
  virtual Future<std::vector<std::string>> resize(std::uint32_t task_managers) = 0;
};

struct OnDemandOptions {
  std::uint32_t most = 0;   // that the deployer may run in all; 0: none is asked for
  std::uint32_t slots = 1;  // of each one that comes
  std::int64_t idle_ms = 60'000;
  std::int64_t start_ms = 60'000;  // in which one must have registered
};

class FRESHET_API OnDemand {
 public:
  // All outlive it.
  OnDemand(ControlThread& thread, ResourceManager& resources, TaskManagers& task_managers,
           TaskManagerSupply& supply, OnDemandOptions options);
  ~OnDemand();
  OnDemand(const OnDemand&) = delete;
  OnDemand& operator=(const OnDemand&) = delete;

  // Asks for nothing any more. May repeat.
  void stop();

 private:
  using Names = std::vector<std::string>;
  // In slots: of the waiting jobs that could be served, and how many of these are not on their way.
  struct Need {
    std::uint64_t wanted = 0;
    std::uint64_t missing = 0;
  };
  void look_soon();
  void look();
  void note_arrivals();
  void give_up_the_late();
  void let_go_of_the_idle();
  void take_away();
  void ask();
  void grow(std::uint32_t more);
  void resize(std::uint32_t count, std::function<void()> on_done);
  // Takes what the deployer has answered. False: it has failed.
  bool learn(const Future<Names>& answer);
  void failed(const std::string& why);
  void set_timer();
  Need need() const;
  std::uint64_t room() const;  // how many more may be started
  std::string text_for(std::uint32_t needed) const;
  std::int64_t now_ms() const;

  ControlThread& thread_;
  ResourceManager& resources_;
  TaskManagers& task_managers_;
  TaskManagerSupply& supply_;
  const OnDemandOptions options_;

  Names kept_;                                  // by the deployer, when it was asked last
  std::set<std::string> brought_;               // on demand, of those
  std::map<std::string, std::int64_t> coming_;  // until when they must have registered
  std::set<std::string> late_;                  // of those deployed: they are not counted on
  std::map<std::string, std::int64_t> idle_;    // since when, of `brought_`
  std::set<std::string> leaving_;               // let go, the deployer is to take them away
  bool asking_ = false;
  std::uint32_t asked_for_ = 0;
  int tries_ = 0;  // that have failed in a row
  std::int64_t not_before_ms_ = 0;
  std::string last_error_;
  std::uint64_t requests_seen_ = 0;
  bool look_is_posted_ = false;
  bool stopped_ = false;
  std::optional<TimerId> timer_;
  Alive alive_;
};

}  // namespace freshet::core
