// Prints the sum of 1 to 100, by an operator of 'template-name'.
#include <freshet/freshet.h>

int sum_job(int, char**) {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.from_registered<std::int64_t>("template-name.numbers",
                                    freshet::payload_of(std::uint64_t{100}))
      .set_parallelism(1)
      .key_by([](std::int64_t) { return 0; })
      .reduce([](std::int64_t sum, std::int64_t n) { return sum + n; })
      .print();
  env.execute("sum");
  return 0;
}

FRESHET_APPLICATION(sum_job);
