// expect: map(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  freshet::DataStream<std::string> texts =
      env.from_sequence(1, 3).map([](const std::string& s) { return s + "!"; }).name("texts");
  texts.filter([](const std::string& s) { return !s.empty(); }).print();
  auto sizes = env.from_sequence(1, 3)
                   .flat_map<std::string>([](std::int64_t, auto& out) { out("x"); })
                   .map([](const std::string& s) { return s.size(); });
  sizes.key_by().count().print().uid("counts");
}
