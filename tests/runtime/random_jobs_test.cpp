// Random small jobs against the oracle, to their end and ended at any moment.
//
// FRESHET_TEST_SEED=417 runs that one alone. Over workers (suite `workers`) the seed draws how many
// there are, which of them gets which subtask, and whether they are joined by ipc or tcp.
#include "random_jobs.h"

#include <chrono>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "scale.h"
#include "workers.h"

namespace freshet::testing {
using namespace core;
namespace {

constexpr std::int64_t kPatience = 60'000;  // ms; a job that hangs fails the test

class RandomJobs : public ::testing::Test {
 protected:
  RandomJobs() : workers_(workers_of_this_process()) {}
  ~RandomJobs() override { execute_over_workers({workers_}); }

  template <class Run>
  void each_seed(std::uint64_t first, int count, Run run) {
    std::uint64_t last = first + static_cast<std::uint64_t>(count);
    if (const char* seed = std::getenv("FRESHET_TEST_SEED")) {
      first = static_cast<std::uint64_t>(std::atoll(seed));
      last = first + 1;
    }
    for (std::uint64_t seed = first; seed < last && !HasFailure(); ++seed) {
      SCOPED_TRACE("FRESHET_TEST_SEED=" + std::to_string(seed));
      if (workers_ > 0) {
        execute_over_workers(
            {2 + static_cast<std::uint32_t>(seed % 2), mixed(seed) | 1, seed % 8 == 0});
      }
      run(seed);
    }
  }
  // Reads what is collected until the job has ended.
  static std::vector<Number> read(CollectedRecords<Number>& collected) {
    auto rows = std::async(std::launch::async, [&] {
      std::vector<Number> all;
      try {
        while (auto row = collected.next()) all.push_back(*row);
      } catch (const JobFailed&) {
      } catch (const JobCanceled&) {
      }
      return all;
    });
    if (!collected.client().result().wait_for(kPatience)) {
      ADD_FAILURE() << "the job does not end";
      collected.client().cancel().wait();
    }
    return rows.get();
  }

 private:
  const std::uint32_t workers_;
};

TEST_F(RandomJobs, GiveTheRowsOfTheOracle) {
  each_seed(1, scaled(400, 15), [](std::uint64_t seed) {
    RandomJob job(seed, seed % 3 != 0);
    auto collected = job.start();
    auto rows = read(collected);
    const JobResult result = collected.client().result().get();
    ASSERT_EQ(result.status, JobStatus::kFinished)
        << (result.failure ? result.failure->message : "");
    job.expect_rows_of_the_oracle(std::move(rows));
  });
}

TEST_F(RandomJobs, FailAtAnyRecordOrFinishWithAll) {
  each_seed(10'001, scaled(160, 8), [](std::uint64_t seed) {
    RandomJob job(seed, seed % 2 != 0);
    fuse = 1 + static_cast<std::int64_t>(mixed(seed) % 4'000);
    auto collected = job.start();
    auto rows = read(collected);
    const JobResult result = collected.client().result().get();
    if (fuse.exchange(0) <= 0) {  // below: two subtasks have come to it at once
      ASSERT_EQ(result.status, JobStatus::kFailed);
      EXPECT_EQ(result.failure->message, "burnt");
      EXPECT_EQ(result.failure->operator_name, "map");
    } else {
      ASSERT_EQ(result.status, JobStatus::kFinished);
      job.expect_rows_of_the_oracle(std::move(rows));
    }
  });
}

TEST_F(RandomJobs, AreCanceledAtAnyMomentOrFinishWithAll) {
  each_seed(20'001, scaled(160, 8), [](std::uint64_t seed) {
    RandomJob job(seed, seed % 2 != 0);
    auto collected = job.start();
    std::thread canceler([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(mixed(seed) % 20'000));
      collected.client().cancel().wait();
    });
    auto rows = read(collected);
    canceler.join();
    const JobResult result = collected.client().result().get();
    EXPECT_FALSE(result.failure.has_value()) << result.failure->message;
    if (result.status == JobStatus::kFinished) {
      job.expect_rows_of_the_oracle(std::move(rows));
    } else {
      EXPECT_EQ(result.status, JobStatus::kCanceled);
    }
  });
}

}  // namespace
}  // namespace freshet::testing
