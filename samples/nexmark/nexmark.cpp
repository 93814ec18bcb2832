// The Nexmark queries: fr-run libnexmark.so --target=local --query q1 [--input PATH | --events N]
//
// Events come from JSON Lines or from a generator; rows are tab-separated, printed or written to
// parts in a folder. See options.cpp for all flags, queries.h for what is asked.
#include <freshet/freshet.h>

#include <cstdint>
#include <string_view>

#include "generator.h"
#include "json_lines.h"
#include "options.h"
#include "queries.h"

namespace nexmark {

void write(const auto& rows, const Options& options) {
  if (options.output.empty()) {
    rows.print();
  } else {
    rows.write_text(options.output);
  }
}

void answer(const auto& events, const Options& options) {
  if (options.query == "q0") write(q0(events), options);
  if (options.query == "q1") write(q1(events), options);
  if (options.query == "q2") write(q2(events), options);
}

}  // namespace nexmark

int nexmark_main(int argc, char** argv) {
  nexmark::Options options;
  if (const auto code = nexmark::read_options(argc, argv, options)) return *code;

  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (options.input.empty()) {
    nexmark::answer(env.generate(nexmark::Generator(options.seed),
                                 static_cast<std::uint64_t>(options.events), options.rate),
                    options);
  } else {
    nexmark::answer(env.read_text(options.input)
                        .filter([](std::string_view line) { return !line.empty(); })
                        .map(nexmark::parse_event),
                    options);
  }
  env.execute("nexmark " + options.query);
  return 0;
}

FRESHET_APPLICATION(nexmark_main, "nexmark");
