// High availability among job managers of one process: the service, and what each of them has of
// it. For tests and the simulation, and the model of what a plugin does.
//
//   HighAvailabilityInMemory service;
//   auto mine = service.join();
//
// The first candidate leads, the others wait in the order in which they came.
//
// Threads    Any. Contenders and listeners are called on the thread of the call that changed
//            something, outside of the lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "freshet/api.h"
#include "freshet/plugin/high_availability.h"

namespace freshet::core {

class FRESHET_API HighAvailabilityInMemory {
 public:
  HighAvailabilityInMemory();
  ~HighAvailabilityInMemory();  // what has joined may outlive it
  HighAvailabilityInMemory(const HighAvailabilityInMemory&) = delete;
  HighAvailabilityInMemory& operator=(const HighAvailabilityInMemory&) = delete;

  // For one process. Once it is destroyed, the process leads no more.
  std::unique_ptr<HighAvailability> join();

  // For tests: the next candidate leads, as if the leader's session had expired. The former one is
  // told so when tell_expired() is called, as it would be later in life. Nothing if nobody leads.
  void expire_leader();
  void tell_expired();
  // From now on every call of a store fails with StoreUnavailable; empty: none does.
  void break_stores(const std::string& why);

  std::uint64_t term() const;  // of the leader, or of the last one
  std::string leader() const;  // the candidate; empty: none
  LeaderAddress address() const;
  std::map<std::string, std::string> job_graphs() const;
  std::map<std::string, std::string> job_results() const;
  std::uint64_t writes_refused() const;  // of former leaders
  // How often the result of that job was put.
  std::uint64_t results_put(const std::string& job_id) const;

 private:
  class State;
  class Member;
  class Store;
  const std::shared_ptr<State> state_;
};

}  // namespace freshet::core
