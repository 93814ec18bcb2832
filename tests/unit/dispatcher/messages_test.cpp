#include "messages/messages.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "links/packing.h"
#include "messages/wire_types.h"

namespace freshet::testing {
using namespace core;
namespace {

template <class M>
std::string packed(const M& message) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, message);
  return {buffer.data(), buffer.size()};
}

template <class M>
M unpacked(const std::string& bytes) {
  return msgpack::unpack(bytes.data(), bytes.size()).get().as<M>();
}

TEST(Messages, KeepWhatTheyCarry) {
  ApplicationInfo info;
  info.id = "a";
  info.status = ApplicationStatus::kFailed;
  info.signal = 11;
  info.jobs.resize(2);
  info.jobs[1].status = JobStatus::kCanceling;
  info.jobs[1].detail = "waits";
  const auto told = unpacked<ApplicationInfo>(packed(info));
  EXPECT_EQ(told.status, info.status);
  EXPECT_EQ(told.signal, 11);
  EXPECT_FALSE(told.exit_code);
  ASSERT_EQ(told.jobs.size(), 2u);
  EXPECT_EQ(told.jobs[1].status, JobStatus::kCanceling);
  EXPECT_EQ(told.jobs[1].detail, "waits");

  TasksEnded ended;
  ended.report.accumulators["n"].number = 1.5;
  ended.report.accumulators["n"].items = {"x", std::string("\0y", 2)};
  ended.report.vertices.resize(1);
  ended.report.vertices[0].metrics["m"].kind = MetricKind::kDistribution;
  const auto report = unpacked<TasksEnded>(packed(ended)).report;
  EXPECT_EQ(report.accumulators.at("n").number, 1.5);
  EXPECT_EQ(report.accumulators.at("n").items[1], std::string("\0y", 2));
  EXPECT_EQ(report.vertices[0].metrics.at("m").kind, MetricKind::kDistribution);

  JobResult result;
  result.failure = FailureInfo{"map", 1, 2, "why"};
  EXPECT_EQ(unpacked<JobResult>(packed(result)).failure->message, "why");
}

TEST(Messages, IgnoreFieldsThatTheyDoNotKnowAndKeepDefaultsOfThoseThatAreNotThere) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_map(2);
  packer.pack("of a newer release");
  packer.pack_array(1);
  packer.pack(7);
  packer.pack("id");
  packer.pack("here");
  const auto message = unpacked<RegisterTaskManager>({buffer.data(), buffer.size()});
  EXPECT_EQ(message.id, "here");
  EXPECT_EQ(message.slots, 0u);
}

TEST(Messages, RefuseANumberThatNoEnumeratorHas) {
  for (const int status : {static_cast<int>(JobStatus::kCommitting) + 1, 255, -1}) {
    msgpack::sbuffer buffer;
    msgpack::packer<msgpack::sbuffer> packer(buffer);
    packer.pack_map(1);
    packer.pack("status");
    packer.pack(status);
    EXPECT_THROW(unpacked<JobInfo>({buffer.data(), buffer.size()}), msgpack::type_error) << status;
  }
}

TEST(Messages, RefuseAFieldOfAnotherType) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_map(1);
  packer.pack("slots");
  packer.pack("many");
  EXPECT_THROW(unpacked<RegisterTaskManager>({buffer.data(), buffer.size()}), msgpack::type_error);
}

// As version 1 wrote it.
TEST(Messages, ReadWhatVersionOneHasWritten) {
  const std::string recorded =
      "\x82\xa6worker\x83\xa3job\xa1j\xa7"
      "attempt\x02\xa6number\x01\xa9"
      "exit_code\x03";
  const auto message = unpacked<WorkerEnded>(recorded);
  EXPECT_EQ(message.worker, (WorkerId{"j", 2, 1}));
  EXPECT_EQ(message.exit_code, 3);
  EXPECT_FALSE(message.signal);
}

// Each says who may send it, too.
template <class... M>
std::set<std::string> kinds_of() {
  static_assert((std::is_same_v<decltype(M::kFrom), const Senders> && ...));
  return {M::kKind...};
}

TEST(Messages, HaveKindsOfTheirOwn) {
  const auto kinds =
      kinds_of<GetClusterStatus, SubmitApplication, ListApplications, DescribeApplication,
               AwaitApplication, CancelApplication, SubmitJob, ListJobs, DescribeJob, AwaitJob,
               CancelJob, FindIds, GetJobDetails, GetAccumulators, NextMessage, CollectAddress,
               KeepRows, ReleaseTaskManagers, ShutDown, PutBlob, BlobChunk, GetBlob, ReadLog,
               Subscribe, Event, RegisterTaskManager, StartWorker, StopWorker, WorkerEnded,
               EndTaskManager, WorkerReady, Deploy, OpenGate, Commit, CommitPrepared, CancelTasks,
               EndWorker, GetReport, AdmitReader, TasksOpened, TasksFinished, TasksFailed,
               OperatorTold, TasksAccumulated, TasksEnded, OutputCommitted>();
  EXPECT_EQ(kinds.size(), 46u);
}

TEST(Messages, ComeFromTheRolesThatTheyAreFor) {
  for (const Role role : {Role::kTaskManager, Role::kWorker, Role::kRunner}) {
    EXPECT_FALSE(CancelApplication::kFrom.contains(role));
    EXPECT_FALSE(ShutDown::kFrom.contains(role));
    EXPECT_FALSE(ReleaseTaskManagers::kFrom.contains(role));
    EXPECT_FALSE(SubmitApplication::kFrom.contains(role));
  }
  EXPECT_TRUE(SubmitJob::kFrom.contains(Role::kRunner));
  EXPECT_FALSE(SubmitJob::kFrom.contains(Role::kWorker));
  for (const Role role : {Role::kClient, Role::kWorker, Role::kRunner}) {
    EXPECT_FALSE(WorkerEnded::kFrom.contains(role));
    EXPECT_FALSE(RegisterTaskManager::kFrom.contains(role));
  }
}

}  // namespace
}  // namespace freshet::testing
