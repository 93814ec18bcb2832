#include "options.h"

#include <CLI/CLI.hpp>
#include <cstdint>

namespace nexmark {

std::optional<int> read_options(int argc, char** argv, Options& options) {
  constexpr int kBadUsage = 64;
  CLI::App app("Queries over the events of an auction site.", "nexmark");
  app.add_option("--query", options.query, "what is asked")
      ->check(CLI::IsMember({"q0", "q1", "q2"}))
      ->capture_default_str();
  auto* input = app.add_option("--input", options.input,
                               "JSON Lines: a file, a folder or a pattern; without it, events are "
                               "generated");
  app.add_option("--output", options.output,
                 "folder for rows, tab-separated; without it, they are printed");
  app.add_option("--events", options.events, "how many are generated")
      ->check(CLI::NonNegativeNumber)
      ->excludes(input)
      ->capture_default_str();
  app.add_option("--rate", options.rate, "generated events a second; 0: as fast as can be")
      ->check(CLI::NonNegativeNumber)
      ->excludes(input);
  app.add_option("--seed", options.seed, "of the generated events")
      ->excludes(input)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadUsage;
  }
  return std::nullopt;
}

}  // namespace nexmark
