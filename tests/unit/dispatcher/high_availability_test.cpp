// The services of core: 'none', and the one in memory, which is the model of what a plugin does.
#include <gtest/gtest.h>

#include "high_availability/high_availability_in_memory.h"
#include "high_availability/no_high_availability.h"

namespace freshet::testing {
using namespace core;
namespace {

class NotedContender final : public Contender {
 public:
  void granted(std::uint64_t term) override { noted += "granted " + std::to_string(term) + "; "; }
  void revoked(std::uint64_t term, const std::string& reason) override {
    noted += "revoked " + std::to_string(term) + ": " + reason + "; ";
  }
  std::string noted;
};

class NotedLeaders final : public LeaderListener {
 public:
  void leader_changed(const LeaderAddress& leader) override {
    noted += leader.term == 0 ? "nobody; " : leader.candidate + " at " + leader.endpoint + "; ";
  }
  std::string noted;
};

// "": it was done.
std::string words_of(const Future<void>& done) {
  if (!done.ready()) return "not ready";
  try {
    done.get();
    return "";
  } catch (const LeadershipLost& lost) {
    return std::string("lost: ") + lost.what();
  } catch (const StoreUnavailable& later) {
    return std::string("unavailable: ") + later.what();
  }
}

struct Candidate {
  explicit Candidate(HighAvailabilityInMemory& service, const std::string& name)
      : mine(service.join()) {
    mine->election().campaign(name, contender);
  }
  NotedContender contender;
  std::unique_ptr<HighAvailability> mine;  // ends first
};

TEST(HighAvailabilityInMemory, LetsOneLeadAndTheNextInAGreaterTermWhenItGivesUp) {
  HighAvailabilityInMemory service;
  Candidate a(service, "a"), b(service, "b"), c(service, "c");
  EXPECT_EQ(a.contender.noted, "granted 1; ");
  EXPECT_EQ(words_of(b.mine->election().give_up()), "");
  EXPECT_EQ(service.leader(), "a") << "b did not lead";
  EXPECT_EQ(words_of(a.mine->election().give_up()), "");
  EXPECT_EQ(words_of(a.mine->election().give_up()), "") << "it may be repeated";
  EXPECT_EQ(b.contender.noted, "");
  EXPECT_EQ(c.contender.noted, "granted 2; ");
  EXPECT_EQ(service.leader(), "c");
}

TEST(HighAvailabilityInMemory, LetsTheNextOneLeadWhenAProcessIsGone) {
  HighAvailabilityInMemory service;
  auto a = std::make_unique<Candidate>(service, "a");
  Candidate b(service, "b");
  a.reset();
  EXPECT_EQ(b.contender.noted, "granted 2; ");
}

TEST(HighAvailabilityInMemory, TellsAFormerLeaderWhenItsSessionHasExpired) {
  HighAvailabilityInMemory service;
  Candidate a(service, "a"), b(service, "b");
  service.expire_leader();
  EXPECT_EQ(b.contender.noted, "granted 2; ") << "before the former one knows";
  EXPECT_EQ(a.contender.noted, "granted 1; ");
  service.tell_expired();
  EXPECT_EQ(a.contender.noted, "granted 1; revoked 1: its session has expired; ");
}

TEST(HighAvailabilityInMemory, RefusesEveryWriteOfAFormerLeaderAndNamesBothTerms) {
  HighAvailabilityInMemory service;
  Candidate a(service, "a"), b(service, "b");
  JobStore& graphs = a.mine->job_graphs();
  EXPECT_EQ(words_of(graphs.put(1, "job", "graph")), "");
  service.expire_leader();
  const std::string refused = "lost: term 1 is over: term 2 was granted since";
  EXPECT_EQ(words_of(graphs.put(1, "job", "another graph")), refused);
  EXPECT_EQ(words_of(graphs.remove(1, "job")), refused);
  EXPECT_EQ(words_of(a.mine->job_results().put(1, "job", "result")), refused);
  EXPECT_EQ(words_of(a.mine->election().publish({1, "a", "tcp://a", "key"})), refused);
  EXPECT_EQ(service.job_graphs(), (std::map<std::string, std::string>{{"job", "graph"}}));
  EXPECT_TRUE(service.job_results().empty());
  EXPECT_EQ(service.address(), LeaderAddress());
  EXPECT_EQ(words_of(b.mine->job_graphs().put(2, "job", "another graph")), "");
  EXPECT_EQ(service.writes_refused(), 4u);
}

TEST(HighAvailabilityInMemory, KeepsWhatWasPutForEveryProcessUntilItIsRemoved) {
  HighAvailabilityInMemory service;
  Candidate a(service, "a");
  const auto other = service.join();
  const std::string bytes("\0\xff", 2);
  EXPECT_EQ(words_of(a.mine->job_results().put(1, "1", bytes)), "");
  EXPECT_EQ(words_of(a.mine->job_results().put(1, "2", "")), "");
  EXPECT_EQ(other->job_results().get("1").get(), bytes);
  EXPECT_EQ(other->job_results().ids().get(), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(other->job_graphs().ids().get().empty()) << "another store";
  EXPECT_EQ(words_of(a.mine->job_results().remove(1, "1")), "");
  EXPECT_EQ(words_of(a.mine->job_results().remove(1, "1")), "") << "it may be repeated";
  EXPECT_EQ(other->job_results().get("1").get(), std::nullopt);
}

TEST(HighAvailabilityInMemory, TellsWhereTheLeaderIsAndThatThereIsNone) {
  HighAvailabilityInMemory service;
  NotedLeaders early, late;
  const auto watcher = service.join(), second = service.join();
  watcher->retrieval().watch(early);
  auto a = std::make_unique<Candidate>(service, "a");
  EXPECT_EQ(words_of(a->mine->election().publish({1, "a", "tcp://a", "key"})), "");
  second->retrieval().watch(late);
  a.reset();
  EXPECT_EQ(early.noted, "nobody; a at tcp://a; nobody; ");
  EXPECT_EQ(late.noted, "a at tcp://a; nobody; ");
}

TEST(HighAvailabilityInMemory, SaysWhenAStoreIsBrokenAndLosesNothing) {
  HighAvailabilityInMemory service;
  Candidate a(service, "a");
  EXPECT_EQ(words_of(a.mine->job_graphs().put(1, "1", "graph")), "");
  service.break_stores("the disk is full");
  EXPECT_EQ(words_of(a.mine->job_graphs().put(1, "2", "graph")), "unavailable: the disk is full");
  EXPECT_THROW(static_cast<void>(a.mine->job_graphs().ids().get()), StoreUnavailable);
  EXPECT_THROW(static_cast<void>(a.mine->job_graphs().get("1").get()), StoreUnavailable);
  service.break_stores("");
  EXPECT_EQ(a.mine->job_graphs().ids().get(), std::vector<std::string>{"1"});
}

TEST(NoHighAvailability, LetsEveryoneLeadAtOnceAndKeepsNothing) {
  NotedContender a, b;
  const auto first = make_no_high_availability(), second = make_no_high_availability();
  first->election().campaign("a", a);
  second->election().campaign("b", b);
  EXPECT_EQ(a.noted + b.noted, "granted 1; granted 1; ");
  EXPECT_EQ(words_of(first->job_graphs().put(1, "1", "graph")), "");
  EXPECT_TRUE(first->job_graphs().ids().get().empty());
  EXPECT_EQ(first->job_results().get("1").get(), std::nullopt);
  NotedLeaders leaders;
  first->retrieval().watch(leaders);
  EXPECT_EQ(leaders.noted, "nobody; ");
}

}  // namespace
}  // namespace freshet::testing
