#include "rpc/messages.h"

#include <gtest/gtest.h>

#include <set>

namespace freshet::testing {
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
  for (const int status : {8, 255, -1}) {
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

TEST(Messages, HaveKindsOfTheirOwn) {
  const std::set<std::string> kinds = {GetClusterStatus::kKind,
                                       SubmitApplication::kKind,
                                       ListApplications::kKind,
                                       DescribeApplication::kKind,
                                       AwaitApplication::kKind,
                                       CancelApplication::kKind,
                                       SubmitJob::kKind,
                                       ListJobs::kKind,
                                       DescribeJob::kKind,
                                       AwaitJob::kKind,
                                       CancelJob::kKind,
                                       GetJobDetails::kKind,
                                       GetAccumulators::kKind,
                                       NextMessage::kKind,
                                       CollectAddress::kKind,
                                       ShutDown::kKind,
                                       PutBlob::kKind,
                                       BlobChunk::kKind,
                                       GetBlob::kKind,
                                       ReadLog::kKind,
                                       Subscribe::kKind,
                                       Event::kKind,
                                       RegisterTaskManager::kKind,
                                       StartWorker::kKind,
                                       StopWorker::kKind,
                                       WorkerEnded::kKind,
                                       EndTaskManager::kKind,
                                       WorkerReady::kKind,
                                       Deploy::kKind,
                                       OpenGate::kKind,
                                       Commit::kKind,
                                       CancelTasks::kKind,
                                       EndWorker::kKind,
                                       GetReport::kKind,
                                       AdmitReader::kKind,
                                       TasksOpened::kKind,
                                       TasksFinished::kKind,
                                       TasksFailed::kKind,
                                       OperatorTold::kKind,
                                       TasksEnded::kKind};
  EXPECT_EQ(kinds.size(), 40u);
}

}  // namespace
}  // namespace freshet::testing
