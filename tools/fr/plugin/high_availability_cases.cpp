// What a high-availability service does with leaders and what they keep: a cluster of the case's
// own, at the place that its options name.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/high_availability.h"
#include "freshet/plugin/operator.h"
#include "plugin/check.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kPatienceMs = 15'000;
const Origin kByCheck{Origin::Kind::kCommandLine, "fr plugin check"};

class NotedContender final : public Contender {
 public:
  void granted(std::uint64_t term) override {
    const std::lock_guard lock(mutex_);
    if (!term_) term_ = term;
    changed_.notify_all();
  }
  void revoked(std::uint64_t, const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    revoked_ = reason;
  }
  std::uint64_t term_within(std::int64_t milliseconds) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [this] { return term_; });
    if (revoked_) throw CaseFailed("it revoked a leadership that nobody has taken: " + *revoked_);
    return term_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t term_ = 0;
  std::optional<std::string> revoked_;
};

class NotedLeader final : public LeaderListener {
 public:
  void leader_changed(const LeaderAddress& leader) override {
    const std::lock_guard lock(mutex_);
    leader_ = leader;
    changed_.notify_all();
  }
  bool becomes(const LeaderAddress& wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs),
                             [&] { return leader_ == wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<LeaderAddress> leader_;
};

class ServiceUnderTest {
 public:
  explicit ServiceUnderTest(CaseContext& context)
      : context_(context),
        factory_(*static_cast<HighAvailabilityFactory*>(context.create())),
        // Apart from what an earlier run may have left, and from real clusters.
        cluster_("fr-plugin-check-" + std::to_string(::getpid())) {
    context.doing("name()");
    const char* name = factory_.name();
    if (name == nullptr || *name == '\0')
      throw CaseFailed("its factory has no name: name() is what high-availability.type says");
    type_ = name;
    configuration_ = context.request.configuration.load();
    configuration_.set_raw(options::kHighAvailabilityType.key(), type_, kByCheck);
  }

  const std::string& type() const { return type_; }
  bool is_compatible_with(const std::string& type) {
    context_.doing("is_compatible_with(" + type + ")");
    Configuration configuration = configuration_;
    configuration.set_raw(options::kHighAvailabilityType.key(), type, kByCheck);
    try {
      return factory_.is_compatible_with(configuration);
    } catch (...) {
      throw CaseFailed("is_compatible_with() throws for type '" + type + "': " +
                       detail::current_exception_message() + ": answer false to what is not yours");
    }
  }
  // One process's part.
  std::unique_ptr<HighAvailability> join() {
    context_.doing("create() of the factory");
    try {
      auto made = factory_.create(configuration_, cluster_);
      if (!made) throw CaseFailed("create() of its factory gives no service");
      return made;
    } catch (const InvalidInput& refused) {
      throw CaseSkipped(std::string("it needs options, give them by -D: ") + refused.what());
    }
  }
  template <class T>
  T wait(const std::string& what, const Future<T>& future) {
    context_.doing(what);
    if (!future.valid()) throw CaseFailed(what + " gives no future");
    if (!future.wait_for(kPatienceMs)) throw CaseFailed(what + " gives no answer");
    try {
      return future.get();
    } catch (const std::exception& error) {
      throw CaseFailed(what + " fails: " + printable(error.what()));
    }
  }
  void expect_lost(const std::string& what, const Future<void>& future) {
    context_.doing(what);
    if (!future.wait_for(kPatienceMs)) throw CaseFailed(what + " gives no answer");
    try {
      future.get();
    } catch (const LeadershipLost&) {
      return;
    } catch (const std::exception& other) {
      throw CaseFailed(what + ", in a term that is over, fails with what is no LeadershipLost: " +
                       printable(other.what()));
    }
    throw CaseFailed(what +
                     " takes effect in a term that is over: compare the term within the write");
  }

 private:
  CaseContext& context_;
  const HighAvailabilityFactory& factory_;
  const std::string cluster_;
  std::string type_;
  Configuration configuration_;
};

void types(CaseContext& context) {
  ServiceUnderTest service(context);
  if (!service.is_compatible_with(service.type()))
    throw CaseFailed("is_compatible_with() is false for its own name, '" + service.type() + "'");
  for (const std::string other : {"none", "fr-plugin-check-no-such-service"})
    if (service.is_compatible_with(other))
      throw CaseFailed("is_compatible_with() is true for high-availability.type '" + other + "'");
}

struct Leader {
  // Fails unless it leads within so long.
  Leader(ServiceUnderTest& service, const std::string& its_name)
      : name(its_name), mine(service.join()) {
    mine->election().campaign(name, contender);
  }
  std::uint64_t lead() {
    term = contender.term_within(kPatienceMs);
    if (term == 0)
      throw CaseFailed("'" + name + "' does not come to lead, though nobody else does");
    return term;
  }
  const std::string name;
  NotedContender contender;
  std::uint64_t term = 0;
  std::unique_ptr<HighAvailability> mine;  // ends first
};

void leaders(CaseContext& context) {
  ServiceUnderTest service(context);
  context.doing("campaign()");
  auto first = std::make_unique<Leader>(service, "first");
  first->lead();
  Leader second(service, "second");
  constexpr std::int64_t kLookMs = 500;
  if (second.contender.term_within(kLookMs) != 0) throw CaseFailed("two lead at once");
  NotedLeader known;
  const auto watcher = service.join();
  watcher->retrieval().watch(known);
  const LeaderAddress address{first->term, "first", "tcp://127.0.0.1:4711", std::string(40, 'k')};
  service.wait("publish()", first->mine->election().publish(address));
  if (!known.becomes(address))
    throw CaseFailed("what a leader publishes is not told to who watches");
  service.wait("give_up()", first->mine->election().give_up());
  service.wait("give_up() again", first->mine->election().give_up());
  if (second.lead() <= first->term)
    throw CaseFailed("term " + std::to_string(second.term) + " follows term " +
                     std::to_string(first->term) + ": each must be greater than all before");
  first.reset();
  // A process that ends without a word.
  auto third = std::make_unique<Leader>(service, "third");
  const std::uint64_t before = second.term;
  context.doing("destroying the leader's service");
  second.mine.reset();
  if (third->lead() <= before) throw CaseFailed("the term of the next leader is not greater");
  service.wait("give_up()", third->mine->election().give_up());
}

void fencing(CaseContext& context) {
  ServiceUnderTest service(context);
  Leader former(service, "former");
  former.lead();
  JobStore& graphs = former.mine->job_graphs();
  service.wait("put()", graphs.put(former.term, "job", "graph"));
  service.wait("give_up()", former.mine->election().give_up());
  Leader next(service, "next");
  next.lead();
  service.expect_lost("put()", graphs.put(former.term, "job", "late"));
  service.expect_lost("remove()", graphs.remove(former.term, "job"));
  service.expect_lost("put()", former.mine->job_results().put(former.term, "job", "late"));
  service.expect_lost("publish()",
                      former.mine->election().publish({former.term, "former", "tcp://a:1", "key"}));
  if (service.wait("get()", next.mine->job_graphs().get("job")) != "graph")
    throw CaseFailed("the next leader does not find what the one before has put");
  service.wait("remove()", next.mine->job_graphs().remove(next.term, "job"));
  service.wait("give_up()", next.mine->election().give_up());
}

void stores(CaseContext& context) {
  ServiceUnderTest service(context);
  Leader leader(service, "leader");
  leader.lead();
  const auto other = service.join();
  const std::string bytes("\0\n\xff graph", 9), large(std::size_t{1} << 20, 'x');
  JobStore& graphs = leader.mine->job_graphs();
  JobStore& results = leader.mine->job_results();
  const std::string long_id(64, 'A');
  service.wait("put()", graphs.put(leader.term, "a-b_c.9", bytes));
  service.wait("put() of 1 MiB", graphs.put(leader.term, long_id, large));
  service.wait("put()", results.put(leader.term, "a-b_c.9", ""));
  service.wait("put() again", results.put(leader.term, "a-b_c.9", "result"));
  const auto listed = service.wait("ids()", other->job_graphs().ids());
  if (std::multiset<std::string>(listed.begin(), listed.end()) !=
      std::multiset<std::string>{"a-b_c.9", long_id})
    throw CaseFailed("ids() does not list what was put, each once, and nothing else");
  const auto graph = service.wait("get()", other->job_graphs().get("a-b_c.9"));
  if (graph == "result") throw CaseFailed("graphs and results are one store: keep them apart");
  if (graph != bytes || service.wait("get()", other->job_graphs().get(long_id)) != large)
    throw CaseFailed("get() gives other bytes than were put");
  if (service.wait("get()", other->job_results().get("a-b_c.9")) != "result")
    throw CaseFailed("put() does not replace what is there");
  for (const std::string& id : {std::string("a-b_c.9"), long_id}) {
    service.wait("remove()", graphs.remove(leader.term, id));
    service.wait("remove() again", graphs.remove(leader.term, id));
  }
  service.wait("remove()", results.remove(leader.term, "a-b_c.9"));
  if (service.wait("get()", other->job_graphs().get("a-b_c.9")))
    throw CaseFailed("get() gives what was removed");
  if (!service.wait("ids()", other->job_graphs().ids()).empty())
    throw CaseFailed("ids() lists what was removed");
  service.wait("give_up()", leader.mine->election().give_up());
}

}  // namespace

std::vector<Case> high_availability_cases() {
  return {
      {"types", "is compatible with its own type alone", "creates", types},
      {"leaders", "lets one lead at a time, the next one in a greater term, and tells where",
       "types", leaders},
      {"fencing", "refuses what a former leader writes", "leaders", fencing},
      {"stores", "gives back what was put, whole, until it is removed", "leaders", stores},
  };
}

}  // namespace freshet::tool
