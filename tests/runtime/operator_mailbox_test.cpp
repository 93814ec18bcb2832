// Threads of an operator's own: posting with backpressure, failing the job, its metrics and
// messages; also under failure and cancel.
#include <gtest/gtest.h>

#include <thread>

#include "freshet/plugin/module.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

// Some of them fill an output, however few batches the operator makes of them.
const std::string kBigRow(20'000, 'x');

using Texts = std::vector<std::string>;

// Where an operator's open() leaves its mailbox for the test's threads.
class Meeting {
 public:
  void arrive(OperatorMailbox box) { met_.set_value(std::move(box)); }
  OperatorMailbox box() const { return met_.future().get(); }

 private:
  Promise<OperatorMailbox> met_;
};

class Met : public QuietOperator {
 public:
  explicit Met(Meeting& meeting) : meeting_(meeting) {}
  void open(OperatorContext& context) override {
    QuietOperator::open(context);
    meeting_.arrive(services_->mailbox());
  }
  void emit(const std::string& row) { emit_now(row); }
  OperatorServices& services() { return *services_; }

 private:
  Meeting& meeting_;
};

// A source that ends when it is told to, an operator that the test posts to, a sink behind a gate
// that the test opens.
class PostedJob {
 public:
  explicit PostedJob(bool gated = false) : job_("posted") {
    const auto source = job_.source("source", {{"row"}}, false, &done);
    const auto op = job_.add("op",
                             [this] {
                               auto made = std::make_unique<Met>(meeting);
                               op_ = made.get();
                               return made;
                             },
                             {1, {false}});
    job_.connect(source, op);
    class Gated final : public Met {
     public:
      Gated(Meeting& meeting, Rows& rows, bool gated) : Met(meeting), rows_(rows), gated_(gated) {}
      void open(OperatorContext& context) override {
        Met::open(context);
        if (gated_) services().gate_input(0);
      }
      void row(const ByteRows& rows, std::uint32_t i) override {
        rows_.add(std::string(rows.record(i)));
      }
      Rows& rows_;
      const bool gated_;
    };
    const auto sink = job_.add("sink",
                               [this, gated] {
                                 auto made = std::make_unique<Gated>(sink_meeting, rows, gated);
                                 sink_ = made.get();
                                 return made;
                               },
                               {});
    job_.connect(op, sink);
  }
  std::unique_ptr<JobClient> start() {
    Configuration configuration;
    configuration.set(options::kExecutionBatchRecords, 1);  // so that channels are full soon
    return job_.start(configuration);
  }
  void open_the_gate() {
    sink_meeting.box().call([this] { sink_->services().ungate_input(0); }).get();
  }
  Met& op() { return *op_; }

  Meeting meeting, sink_meeting;
  std::atomic<bool> done{false};
  Rows rows;

 private:
  OperatorJob job_;
  Met* op_ = nullptr;
  Met* sink_ = nullptr;
};

JobResult result_of(JobClient& client) {
  if (!client.result().wait_for(60'000)) {
    ADD_FAILURE() << "the job did not end";
    client.cancel().wait();
  }
  return client.result().get();
}

TEST(OperatorMailbox, RunsWhatAThreadPostsInItsOrder) {
  PostedJob job;
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  Texts expected;
  for (int i = 0; i < 1'000; ++i) {
    expected.push_back(std::to_string(i));
    box.post([&job, i] { job.op().emit(std::to_string(i)); }).get();
  }
  box.call([] {}).get();
  job.done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  EXPECT_EQ(job.rows.all(), expected);
}

TEST(OperatorMailbox, TakesFromManyThreadsAtOnce) {
  PostedJob job;
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  constexpr int kThreads = 4, kEach = 500;
  std::vector<std::thread> threads;
  Texts expected;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) expected.push_back(std::to_string(t * kEach + i));
    threads.emplace_back([&job, box, t] {
      for (int i = t * kEach; i < (t + 1) * kEach; ++i) {
        box.post([&job, i] { job.op().emit(std::to_string(i)); }).get();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  box.call([] {}).get();
  job.done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(job.rows.sorted(), expected);
}

TEST(OperatorMailbox, HoldsPostersBackWhileTheOutputIsFull) {
  PostedJob job(/*gated=*/true);
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  std::atomic<int> posted{0}, run{0};
  constexpr int kAll = 2'000;
  std::thread poster([&] {
    for (int i = 0; i < kAll; ++i) {
      const Future<void> room = box.post([&, i] {
        ++run;
        job.op().emit(std::to_string(i));
      });
      const int lying = ++posted - run;
      EXPECT_LE(lying, static_cast<int>(OperatorMailbox::kRoom) + 1);
      room.get();
    }
  });
  // The operator gets stuck in its output, and then the poster on the box.
  const auto stuck = [&] { return posted - run >= static_cast<int>(OperatorMailbox::kRoom) - 1; };
  while (!stuck()) std::this_thread::yield();
  EXPECT_LT(posted, kAll);
  EXPECT_EQ(job.rows.size(), 0u);
  job.open_the_gate();
  poster.join();
  box.call([] {}).get();
  job.done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  EXPECT_EQ(job.rows.size(), static_cast<std::size_t>(kAll));
}

TEST(OperatorMailbox, LetsEveryPosterGoOnThatDidNotWaitItsTurn) {
  PostedJob job(/*gated=*/true);
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  std::vector<Future<void>> rooms;
  for (int i = 0; i < 1'000; ++i) rooms.push_back(box.post([&job] { job.op().emit(kBigRow); }));
  EXPECT_FALSE(rooms.back().ready());
  job.open_the_gate();
  for (const Future<void>& room : rooms) room.get();
  box.call([] {}).get();
  job.done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  EXPECT_EQ(job.rows.size(), 1'000u);
}

TEST(OperatorMailbox, EndsWithItsOperator) {
  PostedJob job;
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  job.done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  bool ran = false;
  auto kept = std::make_shared<int>(1);
  EXPECT_THROW(box.post([&ran, kept] { ran = true; }).get(), OperatorEnded);
  EXPECT_THROW(box.call([] { return 1; }).get(), OperatorEnded);
  EXPECT_FALSE(ran);
  EXPECT_EQ(kept.use_count(), 1) << "the call is destroyed";
  box.fail("nobody hears it");
  EXPECT_EQ(client->status().get(), JobStatus::kFinished);
}

TEST(OperatorMailbox, OfNobodyRefuses) {
  const OperatorMailbox box;
  EXPECT_THROW(box.post([] {}).get(), OperatorEnded);
  EXPECT_THROW(box.call([] { return 1; }).get(), OperatorEnded);
  box.fail("nobody hears it");
}

TEST(OperatorMailbox, TellsPostersOfACancel) {
  PostedJob job(/*gated=*/true);
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  // Alive only for its bundle, and stuck in its output, with posters waiting.
  box.call([&job] { job.op().services().open_bundle(); }).get();
  job.done = true;
  std::vector<Future<void>> rooms;
  for (int i = 0; i < 500; ++i) rooms.push_back(box.post([&job] { job.op().emit(kBigRow); }));
  EXPECT_FALSE(rooms.back().ready());
  Future<int> answer = box.call([] { return 1; });
  client->cancel().get();
  EXPECT_EQ(result_of(*client).status, JobStatus::kCanceled);
  EXPECT_THROW(rooms.back().get(), OperatorEnded);
  EXPECT_THROW(answer.get(), OperatorEnded);
}

TEST(OperatorFailure, ByTextFromAnotherThreadNamesTheOperator) {
  PostedJob job;
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  std::thread([box] { box.fail("the harness has gone away"); }).join();
  const JobResult result = result_of(*client);
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.failure->operator_name, "op");
  EXPECT_EQ(result.failure->message, "the harness has gone away");
}

TEST(OperatorFailure, IsHeardWhileTheFiberIsSuspended) {
  PostedJob job(/*gated=*/true);
  const auto client = job.start();
  const OperatorMailbox box = job.meeting.box();
  std::vector<Future<void>> rooms;
  for (int i = 0; i < 500; ++i) rooms.push_back(box.post([&job] { job.op().emit(kBigRow); }));
  box.fail("while its output is full");
  const JobResult result = result_of(*client);
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->message, "while its output is full");
  EXPECT_THROW(rooms.back().get(), OperatorEnded);
}

TEST(OperatorFailure, OfAMailATimerOrADelayedCallNamesTheirOperator) {
  class Throws final : public QuietOperator {
   public:
    explicit Throws(int how) : how_(how) {}
    void row(const ByteRows&, std::uint32_t) override {
      services_->open_bundle();
      const auto fail = [] { throw std::runtime_error("thrown"); };
      switch (how_) {
        case 0:
          return static_cast<void>(services_->mailbox().post(fail));
        case 1:
          return services_->call_later(1, fail);
        default:
          return services_->set_timer(TimeDomain::kProcessing, 0, "", "", "");
      }
    }
    void timer(const Timer&) override { throw std::runtime_error("thrown"); }

   private:
    const int how_;
  };
  for (const int how : {0, 1, 2}) {
    SCOPED_TRACE(how);
    OperatorJob job("throws");
    Rows rows;
    const auto source = job.source("source", {{"row"}});
    const auto first =
        job.add("first", [] { return std::make_unique<QuietOperator>(); }, {1, {false}});
    class Passes final : public QuietOperator {
      void row(const ByteRows& rows, std::uint32_t i) override { out_.emit(rows.record(i)); }
    };
    const auto passes = job.add("passes", [] { return std::make_unique<Passes>(); }, {1, {false}});
    const auto second =
        job.add("second", [how] { return std::make_unique<Throws>(how); }, {1, {false}});
    job.connect(source, first, {.chained = true});
    job.connect(source, passes, {.chained = true});
    job.connect(passes, second, {.chained = true});
    job.connect(first, job.sink("idle sink", rows), {.chained = true});
    job.connect(second, job.sink("sink", rows), {.chained = true});
    const JobResult result = job.run();
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->operator_name, "second");
    EXPECT_EQ(result.failure->message, "thrown");
  }
}

TEST(OperatorMetrics, AreSeenWhileTheJobRunsAndAfterIt) {
  static std::atomic<bool> done;
  static std::atomic<int> seen;
  done = false;
  seen = 0;
  class Counts final : public QuietOperator {
    void row(const ByteRows& rows, std::uint32_t i) override {
      RuntimeContext& context = context_->stage(0);
      const auto size = static_cast<std::int64_t>(rows.record(i).size());
      context.counter("rows").add();
      context.distribution("sizes").add(size);
      Gauge last = context.gauge("last size");
      std::thread([last, size]() mutable { last.set(size); }).join();
      if (size == 1) {
        EXPECT_THROW(context.gauge("rows"), InvalidInput);
      }
      ++seen;
    }
  };
  OperatorJob job("metrics");
  const auto source = job.source("source", {{"a"}, {"abcd"}, {"abc"}}, false, &done);
  const auto op = job.add("op", [] { return std::make_unique<Counts>(); }, {2, {}});
  job.connect(source, op, {.partitioning = Partitioning::kRebalance});
  const auto client = job.start();
  while (seen < 3) std::this_thread::yield();
  for (const bool ended : {false, true}) {
    if (ended) {
      done = true;
      EXPECT_TRUE(result_of(*client).succeeded());
    }
    const JobDetails details = client->details().get();
    MetricValues metrics = details.vertices.at(1).metrics;
    ASSERT_EQ(metrics.size(), 3u);
    EXPECT_EQ(metrics["rows"].text(), "3");
    EXPECT_EQ(metrics["sizes"].text(), "3 values, 1 to 4, sum 8");
    EXPECT_EQ(metrics["last size"].kind, MetricKind::kGauge);
    EXPECT_TRUE(details.vertices.at(0).metrics.empty());
  }
}

Texts messages_of(JobClient& client) {
  Texts texts;
  std::uint64_t last = 0;
  while (const auto message = client.next_message(last).get()) {
    EXPECT_EQ(message->number, last + 1);
    last = message->number;
    texts.push_back((message->operator_name.empty() ? "" : message->operator_name + ": ") +
                    message->text);
  }
  return texts;
}

TEST(JobMessages, AreReplayedToLateSubscribersAndEndWithTheJob) {
  static std::atomic<bool> done;
  done = false;
  class Tells final : public QuietOperator {
    void row(const ByteRows& rows, std::uint32_t i) override {
      services_->tell("has read " + std::string(rows.record(i)));
    }
  };
  OperatorJob job("talks");
  const auto source = job.source("source", {{"one"}, {"two"}}, false, &done);
  job.connect(source, job.add("op", [] { return std::make_unique<Tells>(); }, {}));
  const auto client = job.start();
  const Texts expected{"job 'talks' is created", "job 'talks' is running", "op: has read one",
                       "op: has read two", "job 'talks' is finished"};
  // One that waits for each as it comes, one that comes when all is said.
  Texts early;
  std::thread subscriber([&] { early = messages_of(*client); });
  EXPECT_EQ(client->next_message(3).get()->text, "has read two");
  const Future<std::optional<JobMessage>> end = client->next_message(5);
  EXPECT_FALSE(end.ready());
  done = true;
  EXPECT_TRUE(result_of(*client).succeeded());
  subscriber.join();
  EXPECT_EQ(early, expected);
  EXPECT_EQ(messages_of(*client), expected);
  EXPECT_FALSE(end.get().has_value());
}

TEST(JobMessages, TellWhyAJobFailed) {
  PostedJob job;
  const auto client = job.start();
  job.meeting.box().fail("no more paper");
  EXPECT_EQ(result_of(*client).status, JobStatus::kFailed);
  const Texts texts = messages_of(*client);
  ASSERT_GE(texts.size(), 3u);
  EXPECT_NE(texts.back().find("operator 'op' (subtask 0): no more paper"), std::string::npos)
      << texts.back();
}

}  // namespace
}  // namespace freshet::testing
