// What the command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nexmark {

struct Options {
  std::string query = "q0";
  std::string input;   // empty: generate
  std::string output;  // empty: print
  std::int64_t events = 10'000;
  double rate = 0;
  std::uint64_t seed = 1;
};

// Returns an exit code if there is nothing to run: help was asked for, or the line is wrong.
std::optional<int> read_options(int argc, char** argv, Options& options);

}  // namespace nexmark
