// A subcommand of fr is one file that holds a global Command, and one line in meson.build.
//
//   const Command kInfo("info", "Print the plan of an application.", [](CLI::App& command) {
//     auto file = std::make_shared<std::string>();
//     command.add_option("application", *file, "The .so")->required();
//     return [file] { return print_plan(*file); };
//   });
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "exit_code/exit_code.h"

namespace freshet::tool {

class Command {
 public:
  // Returns the exit code; may throw freshet::Error, which ends fr with exit_code::kRefusedInput.
  using Run = std::function<int()>;
  // Adds the flags to its part of the command line; what it returns runs after parsing.
  using SetUp = std::function<Run(CLI::App&)>;

  Command(const char* name, const char* description, SetUp set_up);

  // Adds all commands, by name, to fr's command line; the one that was called sets `chosen`.
  static void add_all(CLI::App& fr, Run& chosen);
};

// What those who list processes see as the last argument of this one; as much of it as there was
// room for the one that it had.
void show_last_argument_as(std::string_view text);

}  // namespace freshet::tool
