// A plain program that brings its own pipelines: no fr-run, no shared object of one's own.
//
//   g++ -O2 embedded.cpp -o embedded $(pkg-config --cflags --libs freshet-sdk)
//
// Jobs run in this very process. The SDK loads the runtime when the first one is executed.
#include <freshet/freshet.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

// Told of every job of an environment.
class Announcer final : public freshet::JobListener {
 public:
  void on_job_submitted(freshet::JobClient* client, const std::string& error) override {
    if (client != nullptr) {
      std::printf("submitted: %s\n", client->job_name().c_str());
    } else {
      std::printf("not submitted: %s\n", error.c_str());
    }
  }
  // On any thread, when the job has ended.
  void on_job_executed(const freshet::JobResult& result) override {
    std::printf("ended: %s, %s\n", result.job_name.c_str(), freshet::name_of(result.status));
  }
};

// Rows of a job, read while it runs.
void sum_up_rows(freshet::StreamExecutionEnvironment& env) {
  auto squares = env.from_sequence(1, 100)
                     .filter([](std::int64_t n) { return n % 2 == 1; })
                     .map([](std::int64_t n) { return n * n; });
  std::int64_t sum = 0;
  for (const std::int64_t square : squares.execute_and_collect("odd squares")) sum += square;
  std::printf("sum of the odd squares up to 100: %lld\n", static_cast<long long>(sum));
}

// A job without end, watched and canceled. No call of a JobClient blocks; get() waits.
void watch_and_cancel(freshet::StreamExecutionEnvironment& env) {
  env.generate_forever([](std::uint64_t n) { return n; }, /*rate=*/1'000).discard();
  const std::unique_ptr<freshet::JobClient> client = env.execute_async("ticks");

  while (client->details().get().source_records < 10) {
    // Ends at once if the job does, else after 5 ms.
    if (client->result().wait_for(5)) break;
  }
  client->cancel().get();
  const freshet::JobResult result = client->result().get();
  std::printf("ticks is %s\n", freshet::name_of(result.status));
}

int main() {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.add_job_listener(std::make_shared<Announcer>());
  try {
    sum_up_rows(env);
    watch_and_cancel(env);
  } catch (const freshet::Error& error) {
    std::fprintf(stderr, "embedded: %s\n", error.what());
    return 1;
  }
  return 0;
}
