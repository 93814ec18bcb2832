// What docs/embedding.md shows beside samples/embedded.
#include <freshet/freshet.h>

#include <cstdio>
#include <string>
#include <vector>

int main() {
  freshet::Configuration configuration;
  configuration.set(freshet::options::kParallelismDefault, 2);
  configuration.set(freshet::options::kLocalThreads, 2);
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment(configuration);

  env.from_sequence(1, 1'000).map([](std::int64_t n) { return n * n; }).discard();
  auto client = env.execute_async("squares");
  // Runs when the job has ended, on the thread that ended it.
  auto told = client->result().then([](const freshet::JobResult& result) {
    std::printf("%s after %lld ms\n", freshet::name_of(result.status),
                static_cast<long long>(result.duration_ms));
  });
  told.get();

  // All that the job had to say, also for one who asks late.
  std::uint64_t last = 0;
  while (const auto message = client->next_message(last).get()) {
    last = message->number;
    std::printf("%s: %s\n", freshet::name_of(message->status), message->text.c_str());
  }

  // Every job and module of the process that asks for it by this name gets this one.
  const auto greetings =
      freshet::shared_resource<std::vector<std::string>>("acme.greetings", "vector<string>/1", [] {
        return std::vector<std::string>{"good morning", "good night"};
      });
  std::printf("%s\n", greetings->front().c_str());

  try {
    env.from_elements({"not", "a", "number"})
        .map([](const std::string& text) { return std::stoi(text); })
        .discard();
    env.execute("numbers");
  } catch (const freshet::JobFailed& failed) {
    std::printf("%s failed: %s\n", failed.failure().operator_name.c_str(),
                failed.failure().message.c_str());
  }
  return 0;
}
