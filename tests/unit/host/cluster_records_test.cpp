#include "host/cluster_records.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "freshet/cluster_bootstrap.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "host/cluster_presence.h"
#include "host/deployer_services.h"
#include "scratch_folder.h"

namespace freshet::core {
namespace {

using testing::names_in;
using testing::ScratchFolder;
namespace fs = std::filesystem;

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ClusterRecordsTest : public ::testing::Test {
 protected:
  static ClusterRecord record(const std::string& id, const std::string& endpoint = "tcp://h:1") {
    return {id, "standalone", endpoint, "public", "secret", 4711, {{"jobmanager", "12"}}};
  }
  static Configuration chosen(const std::string& id) {
    Configuration configuration;
    configuration.set(options::kClusterId, id, Origin::command_line("--cluster-id"));
    return configuration;
  }

  ScratchFolder scratch_;
  StateFolder folder_{scratch_ / "state ü/freshet"};
  ClusterRecords records_{SystemClock::instance(), folder_};
};

TEST_F(ClusterRecordsTest, ARecordIsReadAsItWasWrittenAndIsItsOwnersAlone) {
  records_.write(record("one-1_a"));
  const ClusterRecord read = records_.read("one-1_a");
  EXPECT_EQ(read.deployer, "standalone");
  EXPECT_EQ(read.endpoint, "tcp://h:1");
  EXPECT_EQ(read.public_key, "public");
  EXPECT_EQ(read.client_key, "secret");
  EXPECT_EQ(read.since_ms, 4711);
  EXPECT_EQ(read.details.at("jobmanager"), "12");
  struct stat facts {};
  ASSERT_EQ(::stat(records_.path_of("one-1_a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_EQ(names_in(folder_.clusters()), (std::vector<std::string>{".lock", "one-1_a.json"}));
}

TEST_F(ClusterRecordsTest, DeployerAndJobManagerEachAddWhatTheyKnow) {
  ClusterRecord of_deployer = record("a", "");
  records_.write(of_deployer);
  ClusterRecord of_manager = records_.read("a");
  of_manager.endpoint = "tcp://h:7";
  of_manager.details["log"] = "there";
  records_.write(of_manager);
  of_deployer.details["taskmanager-1"] = "13";
  records_.write(of_deployer);
  const ClusterRecord both = records_.read("a");
  EXPECT_EQ(both.endpoint, "tcp://h:7");
  EXPECT_EQ(both.details.size(), 3u);
  ClusterRecord another = record("a", "");
  another.public_key = "of another cluster";
  EXPECT_TRUE(contains(refusal([&] { records_.write(another); }), "'a' is there already"));
  EXPECT_EQ(records_.read("a").endpoint, "tcp://h:7");
  records_.remove("a");
  records_.write(another);
  EXPECT_EQ(records_.read("a").endpoint, "");
}

// As two people do who start a cluster of one name at the same time.
TEST_F(ClusterRecordsTest, OfManyThatTakeANameAtOnceOneAloneGetsIt) {
  std::atomic<int> got{0};
  std::vector<std::thread> starters;
  for (int i = 0; i < 8; ++i) {
    starters.emplace_back([&, i] {
      ClusterRecord mine = record("a", "");
      mine.public_key = "key " + std::to_string(i);
      try {
        records_.write(mine);
        ++got;
      } catch (const InvalidInput&) {
      }
    });
  }
  for (std::thread& starter : starters) starter.join();
  EXPECT_EQ(got, 1);
}

TEST_F(ClusterRecordsTest, ADetailThatIsEmptyIsTakenAway) {
  ClusterRecord some = record("a");
  some.details["taskmanager-1"] = "13";
  records_.write(some);
  some.details["taskmanager-1"].clear();
  some.details.erase("jobmanager");
  records_.write(some);
  using Details = std::map<std::string, std::string>;
  EXPECT_EQ(records_.read("a").details, (Details{{"jobmanager", "12"}}));
}

TEST_F(ClusterRecordsTest, OneThatIsGoneIsPutBackUnlessAnotherClusterHasItsId) {
  const ClusterRecords records(SystemClock::instance(), folder_);
  const ClusterRecord ended = record("c1");
  EXPECT_TRUE(records.put_back(ended));
  EXPECT_EQ(records.read("c1").details, ended.details);
  ClusterRecord changed = ended;
  changed.details["jobmanager"] = "13";
  records.write(changed);
  EXPECT_TRUE(records.put_back(ended)) << "it is there still";
  EXPECT_EQ(records.read("c1").details.at("jobmanager"), "13") << "and newer";
  ClusterRecord later = record("c1");
  later.public_key = "of a later one";
  records.remove("c1");
  records.write(later);
  EXPECT_FALSE(records.put_back(ended));
  EXPECT_EQ(records.read("c1").public_key, "of a later one");
}

TEST_F(ClusterRecordsTest, OneJobManagerOfAClusterServesUntilItEnds) {
  const ClusterRecords records(SystemClock::instance(), folder_);
  const ClusterPresence presence(records, "c1"), of_another(records, "c2");
  {
    const ServingJobManager first(records, "c1");
    const ServingJobManager of_other(records, "c2");
    const std::string refused = refusal([&] { ServingJobManager(records, "c1"); });
    EXPECT_TRUE(contains(refused, "cluster 'c1' is there already")) << refused;
    EXPECT_TRUE(contains(refused, "choose another --cluster-id")) << refused;
  }
  const ServingJobManager second(records, "c1");
}

TEST_F(ClusterRecordsTest, OneThatCantBeReadMayBeTheOneThatIsMeant) {
  records_.write(record("a"));
  records_.write(record("b"));
  ASSERT_EQ(::chmod(records_.path_of("b").c_str(), 0640), 0);
  ASSERT_EQ(records_.unreadable().size(), 1u);
  const std::string why = records_.unreadable()[0];
  EXPECT_TRUE(contains(why, records_.path_of("b").native())) << why;
  EXPECT_EQ(records_.all().size(), 1u);
  const std::string told = refusal([&] { records_.choose({}); });
  EXPECT_EQ(told, "a cluster may be meant whose record can't be read: " + why +
                      "; or choose one by --cluster-id (cluster.id)");
  ClusterRecord found;
  EXPECT_EQ(refusal([&] { records_.wait_for_endpoint("", 0, found); }), told);
  EXPECT_EQ(records_.choose(chosen("a")).cluster_id, "a");
  records_.remove("a");
  EXPECT_EQ(refusal([&] { records_.choose({}); }), told);
  records_.remove("b");
  EXPECT_TRUE(contains(refusal([&] { records_.choose({}); }), "no cluster is known"));
}

TEST_F(ClusterRecordsTest, OneThatIsGoneOrAnothersTellsThatItsClusterHasEnded) {
  ClusterRecord of_a = record("a");
  records_.write(of_a);
  EXPECT_FALSE(has_ended(records_, of_a));
  ASSERT_EQ(::chmod(records_.path_of("a").c_str(), 0644), 0);
  EXPECT_FALSE(has_ended(records_, of_a)) << "nobody knows";
  records_.remove("a");
  EXPECT_TRUE(has_ended(records_, of_a));
  ClusterRecord later = of_a;
  later.public_key = "another";
  records_.write(later);
  EXPECT_TRUE(has_ended(records_, of_a));
}

TEST_F(ClusterRecordsTest, AClusterIsChangedByOneAtATime) {
  LocalDeployerServices services(SystemClock::instance(), folder_);
  EXPECT_TRUE(
      contains(refusal([&] { services.lock_cluster("a"); }), "has no process on this host"));
  folder_.make_run("a");
  std::atomic<int> inside{0}, turns{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 10; ++turn) {
        const auto held = services.lock_cluster("a");
        EXPECT_EQ(inside.fetch_add(1), 0);
        std::this_thread::yield();
        inside.fetch_sub(1);
        ++turns;
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(turns, 40);
}

TEST_F(ClusterRecordsTest, OneThatOthersMayReadIsRefusedWithItsMode) {
  records_.write(record("a"));
  ::chmod(records_.path_of("a").c_str(), 0640);
  const std::string said = refusal([&] { records_.read("a"); });
  EXPECT_TRUE(contains(said, "mode 0640")) << said;
  EXPECT_TRUE(contains(said, "chmod 600")) << said;
  EXPECT_TRUE(records_.all().empty());
}

TEST_F(ClusterRecordsTest, ARecordOfAnEarlierVersionIsReadAndOneOfALaterIsRefused) {
  const std::string fields =
      R"("cluster_id": "old", "deployer": "standalone", "endpoint": "", "public_key": "p",)"
      R"("client_key": "c", "since_ms": 1, "details": {"mode": "session"}})";
  records_.write(record("old"));
  scratch_.write("state ü/freshet/clusters/old.json", "{" + fields);
  EXPECT_EQ(ClusterFacts::mode(records_.read("old")), ClusterMode::kSession);
  scratch_.write("state ü/freshet/clusters/old.json", R"({"version": 2, )" + fields);
  const std::string said = refusal([&] { records_.read("old"); });
  EXPECT_TRUE(contains(said, "is a record of version 2, and this Freshet (")) << said;
  EXPECT_TRUE(contains(said, "reads version 1: use the Freshet that has started")) << said;
}

TEST_F(ClusterRecordsTest, OneThatIsNoneOrWasRenamedIsRefused) {
  records_.write(record("a"));
  fs::copy_file(records_.path_of("a"), records_.path_of("b"));
  EXPECT_TRUE(contains(refusal([&] { records_.read("b"); }), "record of 'a'"));
  scratch_.write("state ü/freshet/clusters/c.json", "{}");
  ::chmod(records_.path_of("c").c_str(), 0600);
  EXPECT_TRUE(contains(refusal([&] { records_.read("c"); }), "is no record of a cluster"));
}

TEST_F(ClusterRecordsTest, AnUnknownIdIsToldWhereItWasLookedForAndWhatThereIs) {
  const std::string none = refusal([&] { records_.read("words"); });
  EXPECT_TRUE(contains(none, records_.path_of("words").native())) << none;
  EXPECT_TRUE(contains(none, "fr cluster start")) << none;
  records_.write(record("word"));
  EXPECT_TRUE(contains(refusal([&] { records_.read("words"); }), "did you mean 'word'?"));
  for (const std::string bad : {"", "../x", "A", "a/b", "a.b"})
    EXPECT_TRUE(contains(refusal([&] { records_.read(bad); }), "no cluster id")) << bad;
}

TEST_F(ClusterRecordsTest, TheOnlyOneIsChosenAndSeveralAreListed) {
  EXPECT_TRUE(contains(refusal([&] { records_.choose({}); }), folder_.clusters().native()));
  records_.write(record("a"));
  EXPECT_EQ(records_.choose({}).cluster_id, "a");
  records_.write(record("b"));
  const std::string said = refusal([&] { records_.choose({}); });
  EXPECT_TRUE(contains(said, "'a', 'b'")) << said;
  EXPECT_TRUE(contains(said, "--cluster-id")) << said;
  EXPECT_EQ(records_.choose(chosen("b")).cluster_id, "b");
}

TEST_F(ClusterRecordsTest, AnEndpointIsWaitedFor) {
  records_.write(record("a", ""));
  ClusterRecord found;
  EXPECT_FALSE(records_.wait_for_endpoint("a", 10, found));
  std::thread writer([&] { records_.write(record("a", "tcp://h:2")); });
  EXPECT_TRUE(records_.wait_for_endpoint("a", 60'000, found));
  writer.join();
  EXPECT_EQ(found.endpoint, "tcp://h:2");
}

TEST_F(ClusterRecordsTest, AnEndpointOfAClusterThatHasEndedIsNotWaitedFor) {
  ClusterRecord found;
  EXPECT_FALSE(records_.wait_for_endpoint_of_known("a", 600'000, found));
  records_.write(record("a", ""));
  std::thread remover([&] { records_.remove("a"); });
  EXPECT_FALSE(records_.wait_for_endpoint_of_known("a", 600'000, found));
  remover.join();
}

TEST_F(ClusterRecordsTest, AFolderThatOthersMayEnterIsRefused) {
  records_.write(record("a"));
  ::chmod(folder_.clusters().c_str(), 0755);
  EXPECT_TRUE(contains(refusal([&] { records_.write(record("a")); }), "0755"));
}

TEST_F(ClusterRecordsTest, NoRecordIsReadFromAFolderThatOthersMayEnter) {
  records_.write(record("a"));
  for (const fs::path& folder : {folder_.clusters(), folder_.root()}) {
    for (const ::mode_t mode : {0755U, 0777U}) {
      ::chmod(folder.c_str(), mode);
      for (const std::string& said :
           {refusal([&] { records_.read("a"); }), refusal([&] { records_.find("a"); }),
            refusal([&] { records_.all(); }), refusal([&] { records_.choose({}); })}) {
        EXPECT_TRUE(contains(said, folder.native() + ": ")) << said;
        EXPECT_TRUE(contains(said, "chmod 700")) << said;
      }
    }
    ::chmod(folder.c_str(), 0700);
    EXPECT_EQ(records_.read("a").endpoint, "tcp://h:1");
  }
}

TEST_F(ClusterRecordsTest, TheLastProcessRemovesARecordThatMustNotBeRead) {
  records_.write(record("a"));
  {
    const ClusterPresence one(records_, "a");
    ::chmod(folder_.clusters().c_str(), 0755);
  }
  EXPECT_FALSE(fs::exists(records_.path_of("a")));
}

TEST_F(ClusterRecordsTest, TheLastProcessOfAClusterRemovesItsFoldersAndRecord) {
  records_.write(record("a"));
  {
    const ClusterPresence one(records_, "a");
    {
      const ClusterPresence two(records_, "a");
      folder_.make_sockets("a");
      EXPECT_TRUE(is_present(folder_, "a"));
    }
    EXPECT_TRUE(fs::exists(folder_.sockets("a")));
    EXPECT_FALSE(remove_remains(records_, "a"));
    remove_all_remains(records_);
    EXPECT_EQ(records_.all().size(), 1u);
  }
  EXPECT_FALSE(is_present(folder_, "a"));
  EXPECT_FALSE(fs::exists(folder_.sockets("a")));
  EXPECT_TRUE(names_in(folder_.runs()).empty());
  EXPECT_TRUE(records_.all().empty());
}

TEST_F(ClusterRecordsTest, WhatAKilledClusterHasLeftIsRemovedByWhoLooksNext) {
  records_.write(record("a"));
  const pid_t child = ::fork();
  if (child == 0) {
    const ClusterPresence presence(records_, "a");
    folder_.make_sockets("a");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(records_.all().size(), 1u);
  remove_all_remains(records_);
  EXPECT_TRUE(records_.all().empty());
  EXPECT_TRUE(names_in(folder_.runs()).empty());
  EXPECT_FALSE(fs::exists(folder_.sockets("a")));
}

TEST_F(ClusterRecordsTest, WhatAKilledClusterHasLeftGoesWithoutTheRecordOfItsSuccessor) {
  const pid_t child = ::fork();
  if (child == 0) {
    const ClusterPresence presence(records_, "a");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  ClusterRecord next = record("a", "");
  next.since_ms = SystemClock::instance().wall_ms();
  records_.write(next);
  remove_all_remains(records_);
  EXPECT_EQ(records_.all().size(), 1u);
  EXPECT_TRUE(names_in(folder_.runs()).empty());
  next.endpoint = "tcp://h:1";
  records_.write(next);
  remove_all_remains(records_);
  EXPECT_EQ(records_.all().size(), 1u);
}

TEST_F(ClusterRecordsTest, LogsOfTheLastClustersAreKept) {
  for (int i = 0; i < 25; ++i) folder_.make_logs("c" + std::to_string(i));
  EXPECT_EQ(names_in(folder_.all_logs()).size(), 21u);
  EXPECT_TRUE(fs::exists(folder_.logs("c24")));
}

TEST_F(ClusterRecordsTest, SocketsStandWherePathsAreShort) {
  const StateFolder deep(scratch_ / std::string(150, 'x'));
  EXPECT_LE(deep.sockets("a").native().size(), 70u);
  EXPECT_NE(deep.sockets("a"), folder_.sockets("a"));
}

}  // namespace
}  // namespace freshet::core
