#include "backend/own_application.h"

#include <errno.h>
#include <gtest/gtest.h>

#include "freshet/error.h"
#include "freshet/options.h"

namespace freshet::core {
namespace {

using Lines = std::vector<std::string>;

// A cluster, as far as it hears of mains.
class Hears final : public MainsInClient {
 public:
  Future<void> begin(const std::string& id, const std::string& name,
                     const std::string& ticket) override {
    lines.push_back("begin " + id + " " + name);
    tickets.push_back(ticket);
    return refuses
               ? make_failed_future<void>(std::make_exception_ptr(InvalidInput("it is another's")))
               : make_ready_future();
  }
  Future<void> end(const std::string& id, int exit_code, const MainEnd& end) override {
    lines.push_back("end " + id + " " + std::to_string(exit_code) + " " + end.reason);
    return make_ready_future();
  }
  bool has_lost_records() const override { return lost_records; }

  Lines lines, tickets;
  bool refuses = false;
  bool lost_records = false;
};

class OwnApplicationAtClusters : public testing::Test {
 protected:
  static Configuration cluster(const std::string& id) {
    Configuration configuration;
    configuration.set(options::kExecutionTarget, "standalone-session");
    configuration.set(options::kClusterId, id);
    configuration.set(options::kApplicationId, "0a");
    return configuration;
  }

  std::map<std::string, std::shared_ptr<Hears>> clusters_{{"one", std::make_shared<Hears>()},
                                                          {"two", std::make_shared<Hears>()},
                                                          {"deployers-own", nullptr}};
  int connections_ = 0, begun_ = 0;
  OwnApplication application_{[this](const Configuration& configuration) {
                                ++connections_;
                                return OwnApplication::Connected{
                                    nullptr, clusters_.at(configuration.get(options::kClusterId))};
                              },
                              [this] { ++begun_; }};
  Hears& one_ = *clusters_["one"];
  Hears& two_ = *clusters_["two"];
};

TEST_F(OwnApplicationAtClusters, AClusterHearsOfMainOnceByItsFirstJob) {
  EXPECT_EQ(application_.id(), "");
  application_.cluster(cluster("one"));
  application_.cluster(cluster("one"));
  EXPECT_EQ(connections_, 1);
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(application_.id(), "0a");
  EXPECT_EQ(one_.lines, Lines{std::string("begin 0a ") + program_invocation_short_name});
}

TEST_F(OwnApplicationAtClusters, AnIdIsDrawnWhereNoneIsSet) {
  Configuration configuration = cluster("one");
  configuration.remove(options::kApplicationId.key());
  application_.cluster(configuration);
  EXPECT_EQ(application_.id().size(), 32u);
  EXPECT_EQ(one_.lines, Lines{"begin " + application_.id() + " " + program_invocation_short_name});
}

TEST_F(OwnApplicationAtClusters, EachClusterIsToldTheSameNameIdAndTicket) {
  application_.begin(cluster("one"), "app.so");
  application_.cluster(cluster("two"));
  EXPECT_EQ(one_.lines, Lines{"begin 0a app.so"});
  EXPECT_EQ(two_.lines, one_.lines);
  EXPECT_EQ(two_.tickets, one_.tickets);
  EXPECT_EQ(one_.tickets[0].size(), 32u);
  EXPECT_EQ(begun_, 1);
}

TEST_F(OwnApplicationAtClusters, TheEndIsToldOnceAndNothingAfterIt) {
  application_.begin(cluster("one"), "app.so");
  application_.end(3, {false, false, "main exited with 3"});
  application_.end(0, {});
  application_.cluster(cluster("two"));
  application_.cluster(cluster("one"));
  EXPECT_EQ(one_.lines, (Lines{"begin 0a app.so", "end 0a 3 main exited with 3"}));
  EXPECT_EQ(two_.lines, Lines{});
}

TEST_F(OwnApplicationAtClusters, WhatHasNotBegunHasNoEnd) {
  application_.connected(cluster("one"));
  application_.end(0, {});
  EXPECT_EQ(one_.lines, Lines{});
  EXPECT_EQ(begun_, 0);
  application_.begin(cluster("one"), "app.so");  // it can begin still
  EXPECT_EQ(one_.lines, Lines{"begin 0a app.so"});
}

TEST_F(OwnApplicationAtClusters, AClusterThatRefusesItIsAskedAgainWithTheSameTicket) {
  one_.refuses = true;
  EXPECT_THROW(application_.begin(cluster("one"), "app.so"), InvalidInput);
  application_.end(65, {});
  EXPECT_EQ(begun_, 0);
  one_.refuses = false;
  application_.begin(cluster("one"), "app.so");
  EXPECT_EQ(one_.lines, (Lines{"begin 0a app.so", "begin 0a app.so"}));
  EXPECT_EQ(one_.tickets[0], one_.tickets[1]);
  EXPECT_EQ(connections_, 1);
}

TEST_F(OwnApplicationAtClusters, ClientsOfADeployersOwnHearNothing) {
  application_.cluster(cluster("deployers-own"));
  application_.end(0, {});
  EXPECT_EQ(begun_, 0);
  EXPECT_EQ(application_.id(), "0a");  // by which its jobs are submitted
}

TEST_F(OwnApplicationAtClusters, AMainThatAClusterRunsTellsNobody) {
  application_.set_cluster(nullptr, "0b");
  EXPECT_EQ(application_.id(), "0b");
  application_.end(0, {});
  EXPECT_EQ(begun_, 0);
}

TEST_F(OwnApplicationAtClusters, LostRecordsAreThoseOfClustersThatHeardOfIt) {
  two_.lost_records = true;
  application_.cluster(cluster("one"));
  application_.connected(cluster("two"));
  EXPECT_FALSE(application_.has_lost_records());
  application_.cluster(cluster("two"));
  EXPECT_TRUE(application_.has_lost_records());
}

}  // namespace
}  // namespace freshet::core
