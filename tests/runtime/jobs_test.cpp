// A job seen from outside: results, clients, listeners; several jobs; large jobs.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/await.h"
#include "run_both_ways.h"
#include "scale.h"
#include "stillness.h"

namespace freshet::testing {
namespace {

constexpr std::int64_t kPatience = 10'000;  // ms; a job that hangs fails the test

std::atomic<std::uint64_t> generated{0};

std::uint64_t count_up(std::uint64_t i) {
  generated.fetch_add(1, std::memory_order_relaxed);
  return i;
}

TEST(Collect, ASlowReaderHoldsTheJobBack) {
  for (const bool fusion : {true, false}) {
    generated = 0;
    auto env = Way{fusion, true, 0, 2}.environment();
    auto rows = env.generate_forever(&count_up).execute_and_collect();
    ASSERT_TRUE(rows.next().has_value());
    ASSERT_TRUE(wait_until_still());
    const std::uint64_t before = generated;
    EXPECT_LT(before, 2'000'000u);  // 16 MB of numbers
    while (generated == before) ASSERT_TRUE(rows.next().has_value());
  }
}

TEST(Collect, EndingEarlyEndsTheJob) {
  for (int round = 0; round < 5; ++round) {
    auto env = Way{true, true, round % 2, 3}.environment();
    Future<JobResult> result;
    {
      auto rows = env.generate_forever(&count_up).rebalance().execute_and_collect();
      for (int i = 0; i < round * 1000; ++i) ASSERT_TRUE(rows.next().has_value());
      result = rows.client().result();
    }
    ASSERT_TRUE(result.ready());
    EXPECT_EQ(result.get().status, JobStatus::kCanceled);
  }
}

TEST(Collect, RecordsComeBeforeTheFailureBehindThem) {
  auto env = Way{true, true, 1, 1}.environment();
  auto rows = env.from_sequence(0, 99)
                  .map([](const std::int64_t& i) {
                    if (i == 50) throw std::runtime_error("fifty");
                    return i;
                  })
                  .execute_and_collect();
  std::vector<std::int64_t> read;
  EXPECT_THROW(while (auto row = rows.next()) read.push_back(*row), JobFailed);
  ASSERT_EQ(read.size(), 50u);
  for (std::int64_t i = 0; i < 50; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], i);
}

TEST(Collect, ARangeForReadsThemAll) {
  auto env = Way{}.environment();
  std::int64_t sum = 0;
  for (const std::int64_t& i : env.from_sequence(1, 1000).execute_and_collect()) sum += i;
  EXPECT_EQ(sum, 500'500);
}

TEST(Jobs, TwoRunAtOnce) {
  static std::atomic<int> arrived;
  arrived = 0;
  const auto start = [] {
    auto env = Way{true, true, 0, 2}.environment();
    env.from_sequence(1, 2)
        .map([](const std::int64_t& i) {
          return await([i] {
            ++arrived;
            while (arrived < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return i;
          });
        })
        .discard();
    return env.execute_async("meets another");
  };
  const auto first = start();
  const auto second = start();
  ASSERT_TRUE(first->result().wait_for(kPatience));
  ASSERT_TRUE(second->result().wait_for(kPatience));
  EXPECT_TRUE(first->result().get().succeeded());
  EXPECT_TRUE(second->result().get().succeeded());
  EXPECT_NE(first->job_id(), second->job_id());
}

TEST(Jobs, FromManyThreadsAtOnceKeepTheirResultsApart) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([t, &right] {
      for (int round = 0; round < scaled(40, 4); ++round) {
        auto env = Way{round % 2 == 0, true, round % 3, 1 + t % 3}.environment();
        const std::int64_t last = 100 * t + round;
        const auto rows = env.from_sequence(1, last)
                              .key_by([](const std::int64_t&) { return 1; })
                              .sum([](const std::int64_t& i) { return i; })
                              .execute_and_collect()
                              .to_vector();
        const std::vector<std::pair<int, std::int64_t>> expected{{1, last * (last + 1) / 2}};
        if (last == 0 ? rows.empty() : rows == expected) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 6 * scaled(40, 4));
}

TEST(Jobs, AThousandSubtasksRunWell) {
  Way way{true, true, 0, 334};
  auto env = way.environment();
  env.set_max_parallelism(1024);
  const auto begin = std::chrono::steady_clock::now();
  const auto rows = env.from_sequence(1, 10'000)
                        .map([](const std::int64_t& i) { return i; })
                        .disable_chaining()
                        .map([](const std::int64_t& i) { return i * 2; })
                        .disable_chaining()
                        .execute_and_collect()
                        .to_vector();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(rows.size(), 10'000u);
  std::int64_t sum = 0;
  for (const std::int64_t row : rows) sum += row;
  EXPECT_EQ(sum, 100'010'000);
  EXPECT_LT(taken.count(), 60.0);
}

TEST(Jobs, HundredsOfWritersMeetHundredsOfReaders) {
  auto env = Way{true, true, 0, scaled(400, 100)}.environment();
  env.set_max_parallelism(1024);
  const auto rows = env.from_sequence(0, 9'999)
                        .key_by([](const std::int64_t& i) { return i % 1000; })
                        .count()
                        .execute_and_collect()
                        .to_vector();
  EXPECT_EQ(rows.size(), 1000u);
  for (const auto& [key, count] : rows) EXPECT_EQ(count, 10);
}

TEST(Jobs, AStreamOfAnEarlierJobIsRefused) {
  auto env = Way{}.environment();
  auto numbers = env.from_sequence(1, 3);
  numbers.discard();
  env.execute();
  EXPECT_THROW(numbers.discard(), InvalidInput);
  EXPECT_THROW(static_cast<void>(numbers.map([](const std::int64_t& i) { return i; })),
               InvalidInput);
  EXPECT_THROW(static_cast<void>(numbers.name("late")), InvalidInput);
  EXPECT_THROW(static_cast<void>(numbers.execute_and_collect()), InvalidInput);
  env.from_sequence(1, 3).discard();
  EXPECT_TRUE(env.execute().succeeded());  // the environment itself goes on
}

TEST(Jobs, ParallelismThatCannotBeIsRefused) {
  auto env = Way{}.environment();
  EXPECT_THROW(env.from_sequence(1, 3).set_parallelism(0), InvalidInput);
  EXPECT_THROW(env.from_sequence(1, 3).set_parallelism(-1), InvalidInput);
  EXPECT_THROW(env.from_elements({1, 2}).set_parallelism(2), InvalidInput);
  auto too_many = Way{}.environment();
  too_many.from_sequence(1, 3).set_parallelism(200).discard();
  try {
    too_many.execute();
    FAIL() << "was run";
  } catch (const InvalidInput& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("200"), std::string::npos) << message;
    EXPECT_NE(message.find("128"), std::string::npos) << message;
  }
}

TEST(Client, TellsOfARunningJobAndCancelsIt) {
  generated = 0;
  auto env = Way{true, true, 0, 2}.environment();
  env.generate_forever(&count_up, 10'000.0).name("numbers").discard();
  const auto client = env.execute_async("endless");
  EXPECT_EQ(client->job_name(), "endless");
  EXPECT_FALSE(client->job_id().empty());
  while (generated < 10) std::this_thread::yield();
  EXPECT_EQ(client->status().get(), JobStatus::kRunning);
  EXPECT_FALSE(client->result().ready());
  EXPECT_FALSE(client->result().wait_for(1));
  EXPECT_FALSE(client->result().get_for(1).has_value());
  while (client->details().get().sink_records < 10) std::this_thread::yield();
  const JobDetails details = client->details().get();
  EXPECT_EQ(details.job_name, "endless");
  EXPECT_EQ(details.status, JobStatus::kRunning);
  ASSERT_EQ(details.vertices.size(), 2u);
  EXPECT_EQ(details.vertices[0].name, "numbers");
  EXPECT_EQ(details.vertices[0].parallelism, 2u);
  EXPECT_THROW(client->savepoint("/nowhere").get(), Error);
  EXPECT_THROW(client->stop("/nowhere", true).get(), Error);
  EXPECT_THROW(client->next_result("nobody").get(), Error);

  std::atomic<bool> told{false};
  const Future<std::string> after = client->result().then([&](const JobResult& result) {
    told = true;
    return std::string(name_of(result.status));
  });
  EXPECT_FALSE(after.ready());
  client->cancel().get();
  client->cancel().get();  // may repeat
  ASSERT_TRUE(after.wait_for(kPatience));
  EXPECT_TRUE(told);
  EXPECT_EQ(after.get(), name_of(JobStatus::kCanceled));
  EXPECT_EQ(client->status().get(), JobStatus::kCanceled);
  EXPECT_EQ(client->details().get().status, JobStatus::kCanceled);
  client->cancel().get();  // nothing left to cancel
  EXPECT_EQ(client->status().get(), JobStatus::kCanceled);
}

TEST(Client, CountsTheRecordsOfEveryOperator) {
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.text());
    auto env = way.environment();
    env.from_sequence(1, 1000)
        .filter([](const std::int64_t& i) { return i % 4 == 0; })
        .template flat_map<std::int64_t>([](const std::int64_t& i, auto& out) {
          out(i);
          out(-i);
        })
        .map([](const std::int64_t& i) { return i; })
        .discard();
    const auto client = env.execute_async();
    client->result().wait();
    const JobDetails details = client->details().get();
    ASSERT_EQ(details.vertices.size(), 5u);
    const std::uint64_t in[] = {0, 1000, 250, 500, 500};
    const std::uint64_t out[] = {1000, 250, 500, 500, 0};
    for (std::size_t v = 0; v < 5; ++v) {
      EXPECT_EQ(details.vertices[v].records_in, in[v]) << details.vertices[v].name;
      EXPECT_EQ(details.vertices[v].records_out, out[v]) << details.vertices[v].name;
    }
    EXPECT_EQ(details.source_records, 1000u);
    EXPECT_EQ(details.sink_records, 500u);
  }
}

struct CountSeen {
  Accumulator* seen = nullptr;
  void open(RuntimeContext& context) {
    seen = &context.accumulator("seen", AccumulatorKind::kCount);
  }
  std::uint64_t operator()(const std::uint64_t& i) {
    seen->add();
    return i;
  }
};

TEST(Client, ReadsAccumulatorsWhileTheJobRuns) {
  auto env = Way{true, true, 0, 2}.environment();
  env.generate_forever(&count_up, 5'000.0).map(CountSeen{}).discard();
  const auto client = env.execute_async();
  std::uint64_t seen = 0;
  while (seen < 20) {
    const auto values = client->accumulators().get();
    const auto found = values.find("seen");
    const std::uint64_t now = found == values.end() ? 0 : found->second.count;
    ASSERT_GE(now, seen);
    seen = now;
  }
  client->cancel().get();
  EXPECT_GE(client->result().get().accumulators.at("seen").count, seen);
}

TEST(Client, OutlivesItsEnvironmentAndItsJob) {
  std::unique_ptr<JobClient> client;
  {
    auto env = Way{}.environment();
    env.from_sequence(1, 10).discard();
    client = env.execute_async("short");
  }
  ASSERT_TRUE(client->result().wait_for(kPatience));
  const JobResult result = client->result().get();
  EXPECT_EQ(result.job_name, "short");
  EXPECT_EQ(result.job_id, client->job_id());
  EXPECT_GE(result.duration_ms, 0);
  EXPECT_FALSE(result.failure.has_value());
}

Promise<std::uint32_t>* news = nullptr;

// Subtask 0 waits for what subtask 1 will say, on one and the same thread.
struct Ask {
  std::uint32_t subtask = 0;
  void open(RuntimeContext& context) { subtask = context.subtask_index(); }
  std::uint32_t operator()(const std::int64_t&) const {
    if (subtask == 0) return news->future().get();
    news->set_value(subtask);
    return subtask;
  }
};

TEST(Client, AWaitInsideATaskSuspendsThatTaskAlone) {
  Promise<std::uint32_t> promise;
  news = &promise;
  auto env = Way{true, true, 1, 2}.environment();
  env.configuration().set(options::kLocalThreads, 1);
  const auto rows = env.from_sequence(1, 2).map(Ask{}).execute_and_collect().to_vector();
  EXPECT_EQ(rows, (std::vector<std::uint32_t>{1, 1}));
}

class Listener final : public JobListener {
 public:
  void on_job_submitted(JobClient* client, const std::string& error) override {
    submitted.push_back(client ? client->job_name() : "refused: " + error);
  }
  void on_job_executed(const JobResult& result) override {
    ended = result.status;
    executed.set_value(result.job_name);
  }
  std::vector<std::string> submitted;
  std::atomic<JobStatus> ended{JobStatus::kCreated};
  Promise<std::string> executed;
};

TEST(Listeners, HearOfSubmissionAndEnd) {
  auto env = Way{}.environment();
  const auto listener = std::make_shared<Listener>();
  env.add_job_listener(listener);
  env.from_sequence(1, 10).discard();
  env.execute("heard");
  EXPECT_EQ(listener->submitted, std::vector<std::string>{"heard"});
  ASSERT_TRUE(listener->executed.future().wait_for(kPatience));
  EXPECT_EQ(listener->executed.future().get(), "heard");
  EXPECT_EQ(listener->ended, JobStatus::kFinished);
}

TEST(Listeners, HearOfFailuresAndRefusals) {
  auto env = Way{}.environment();
  const auto listener = std::make_shared<Listener>();
  env.add_job_listener(listener);
  env.from_sequence(1, 10).map([](const std::int64_t&) -> int { throw 1; }).discard();
  EXPECT_THROW(env.execute("fails"), JobFailed);
  ASSERT_TRUE(listener->executed.future().wait_for(kPatience));
  EXPECT_EQ(listener->ended, JobStatus::kFailed);
  env.from_sequence(1, 10).set_parallelism(3'000).discard();
  EXPECT_THROW(env.execute("refused"), InvalidInput);
  ASSERT_EQ(listener->submitted.size(), 2u);
  EXPECT_EQ(listener->submitted[1].substr(0, 9), "refused: ");
}

}  // namespace
}  // namespace freshet::testing
