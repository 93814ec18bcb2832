// Counts the words of a file, which it reads and writes by the connector.
#include "freshet/application.h"

#include "freshet/freshet.h"

namespace {

int count_words(int argc, char** argv) {
  if (argc != 3) throw freshet::InvalidInput("expected FROM TO");
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.from_registered<std::string>("kept.read", freshet::payload_of(argv[1]))
      .key_by([](const std::string& word) { return word; })
      .count()
      .map([](const auto& counted) { return counted.first + "=" + std::to_string(counted.second); })
      .sink_to_registered("kept.write", freshet::payload_of(argv[2]));
  const freshet::JobResult result = env.execute("count words");
  return result.job_name == "count words" ? 0 : 1;
}

}  // namespace

FRESHET_APPLICATION(count_words);
