// High availability of a cluster: who of several job managers leads, where the leader listens, and
// what the next one must know, the graphs of accepted jobs and the results of those that have
// ended. A plugin of kind "high-availability service"; the option high-availability.type chooses
// it.
//
//   class MyFactory final : public freshet::HighAvailabilityFactory { ... };
//   FRESHET_HIGH_AVAILABILITY_PLUGIN("my-service", "0.1.0", MyFactory);
//
// A leadership has a **term**, a number that is greater than that of every leadership of the
// cluster before, also of those that other processes had. It is the guard against a former leader
// that does not know yet: every write names the term of its writer, and once a term has been
// granted no write of a smaller one takes effect. With ZooKeeper it is the transaction that created
// the latch's node, with etcd the create revision of the leader's key, with a lease the count of
// its transitions.
//
// Threads    Every call from any thread, several at once; none blocks: what takes time completes a
//            Future, on any thread. Contender and LeaderListener are called on any thread, one call
//            at a time, also from inside of a call of theirs.
// Errors     What a call can't do fails its Future; nothing is thrown.
//            LeadershipLost if the term is over.
//            StoreUnavailable for all that may pass, with the service's own words: core tries
//            again, so every call may be repeated.
// End        Destroying a HighAvailability ends its campaign and its calls: it returns once no
//            callback runs or will come any more. Futures that are still open fail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/future.h"

namespace freshet {

// Somebody else leads, or nobody: this writer's term is over. Never tried again.
class FRESHET_API LeadershipLost : public Error {
 public:
  using Error::Error;
  ~LeadershipLost() override;
};

// The service could not be reached, or could not do it now. Whether it did is not known.
class FRESHET_API StoreUnavailable : public Error {
 public:
  using Error::Error;
  ~StoreUnavailable() override;
};

// Where the leader of a cluster listens, and which one it is.
struct LeaderAddress {
  std::uint64_t term = 0;  // 0: nobody leads that has told where; the rest is empty
  std::string candidate;   // for people: "job manager (pid 4711)"
  std::string endpoint;    // "tcp://10.0.0.7:6123"
  std::string public_key;  // of the cluster, which the leader proves to own

  friend bool operator==(const LeaderAddress&, const LeaderAddress&) = default;
};

// Who wants to lead. Core's; it returns at once and throws nothing.
class FRESHET_API Contender {
 public:
  virtual ~Contender();
  // It leads from now on, until revoked() or give_up().
  virtual void granted(std::uint64_t term) = 0;
  // It leads no more, though it has not given up: the session with the service has expired, another
  // one has taken over. Once for a term that was granted. The campaign is over: who wants to lead
  // again does so as a new process.
  virtual void revoked(std::uint64_t term, const std::string& reason) = 0;
};

// One candidate's part in the election of its cluster.
class FRESHET_API LeaderElection {
 public:
  virtual ~LeaderElection();
  // Once. `contender` is told when it leads, at once or whenever nobody else does any more; what
  // the service needs until then (connecting again, waiting) is the plugin's. It outlives this.
  virtual void campaign(const std::string& candidate, Contender& contender) = 0;
  // Tells everybody where the leader is; it serves when this is called. [while it leads]
  virtual Future<void> publish(const LeaderAddress& address) = 0;
  // Ends the campaign, and the leadership if it has it: the address is withdrawn, and another one
  // may lead. Done when that is so, or never will be. May repeat, also before campaign().
  virtual Future<void> give_up() = 0;
};

// Who wants to know where the leader is. Core's; it returns at once and throws nothing.
class FRESHET_API LeaderListener {
 public:
  virtual ~LeaderListener();
  // The last one counts; some in between may be left out.
  virtual void leader_changed(const LeaderAddress& leader) = 0;
};

// The leader as others find it: task managers, tools.
class FRESHET_API LeaderRetrieval {
 public:
  virtual ~LeaderRetrieval();
  // Once. `listener` is told the leader of now as soon as that is known, also that there is none,
  // and every change. It outlives this.
  virtual void watch(LeaderListener& listener) = 0;
};

// Bytes by the id of a job, kept until they are removed, whoever leads. Core alone knows what they
// are. Ids have 1 to 64 of the characters a-z A-Z 0-9 - _ . and do not begin with a dot; bytes are
// up to 64 MiB. What was put is there for every later call of any process, whole or not at all.
class FRESHET_API JobStore {
 public:
  virtual ~JobStore();
  // Done once it would outlive this process and this host as far as the service promises. What is
  // there under that id is replaced.
  virtual Future<void> put(std::uint64_t term, const std::string& job_id,
                           const std::string& bytes) = 0;
  // Done also if there is none.
  virtual Future<void> remove(std::uint64_t term, const std::string& job_id) = 0;
  // In any order. Of a leader: all that was put in terms before.
  virtual Future<std::vector<std::string>> ids() = 0;
  // nullopt: there is none.
  virtual Future<std::optional<std::string>> get(const std::string& job_id) = 0;
};

// What one process has of the service, for one cluster. A task manager uses retrieval() alone.
class FRESHET_API HighAvailability {
 public:
  virtual ~HighAvailability();
  // Each the same object each time, valid as long as this.
  virtual LeaderElection& election() = 0;
  virtual LeaderRetrieval& retrieval() = 0;
  virtual JobStore& job_graphs() = 0;   // of jobs that were accepted, until their result is stored
  virtual JobStore& job_results() = 0;  // of jobs that have ended, until their record is dropped
  // One line for people: which service, and where.
  virtual std::string describe() const = 0;
};

// Stateless. An exception from is_compatible_with() makes core skip the plugin with a warning.
class FRESHET_API HighAvailabilityFactory {
 public:
  virtual ~HighAvailabilityFactory();
  // The plugin's name, as in high-availability.type.
  virtual const char* name() const = 0;
  // Reads the configuration alone: no files, no network.
  virtual bool is_compatible_with(const Configuration& configuration) const = 0;
  // For a cluster of that id, apart from all others. Waits for nothing: a service that can't be
  // reached shows in what is asked later. Throws InvalidInput if its options can't be meant.
  virtual std::unique_ptr<HighAvailability> create(const Configuration& configuration,
                                                   const std::string& cluster_id) const = 0;
};

}  // namespace freshet
