// fr: looks into Freshet's configuration, plugins and applications. See command.h.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "crash/crash_handler.h"
#include "empty_values.h"
#include "exit_code/exit_code.h"
#include "freshet/api.h"
#include "freshet/plugin/nearest_name.h"
#include "own_words.h"
#include "shown_text.h"
#include "standard_streams.h"

namespace freshet::tool {
using namespace core;
namespace {

struct Registered {
  const char* name;
  const char* description;
  Command::SetUp set_up;
};

std::vector<Registered>& registered() {
  static std::vector<Registered> commands;
  return commands;
}

std::span<char> last_argument;

// Without those of a main.
std::vector<std::string> own_words_of(const CLI::App& fr, std::vector<std::string> words) {
  const auto called = fr.get_subcommands(
      [&](const CLI::App* each) { return !words.empty() && each->get_name() == words[0]; });
  if (called.empty() || !called[0]->get_prefix_command()) return words;
  words.erase(words.begin());
  words.resize(own_words(*called[0], words, 0));
  return words;
}

// Why the first words name no command of `app`, or of a command of it; empty if they do.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words,
                            const std::string& before = {}) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() || words.empty() || words[0].empty() || words[0][0] == '-') return {};
  std::vector<std::string> names;
  for (const CLI::App* command : commands) {
    if (command->get_name() == words[0])
      return unknown_command(*command, {words.begin() + 1, words.end()}, before + words[0] + " ");
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  const std::string near = nearest_name(words[0], names);
  return "there is no command '" + before + words[0] + "'" +
         (near.empty() ? "" : ": did you mean '" + before + near + "'?") + " (fr " + before +
         "--help)";
}

}  // namespace

Command::Command(const char* name, const char* description, SetUp set_up) {
  registered().push_back({name, description, std::move(set_up)});
}

void Command::add_all(CLI::App& fr, Run& chosen) {
  std::sort(registered().begin(), registered().end(),
            [](const auto& a, const auto& b) { return std::string_view(a.name) < b.name; });
  for (const Registered& each : registered()) {
    CLI::App* command = fr.add_subcommand(each.name, each.description);
    command->callback([run = each.set_up(*command), &chosen] { chosen = run; });
  }
}

void show_last_argument_as(std::string_view text) {
  text = text.substr(0, last_argument.size());
  std::copy(text.begin(), text.end(), last_argument.begin());
  std::fill(last_argument.begin() + static_cast<std::ptrdiff_t>(text.size()), last_argument.end(),
            '\0');
  // What is behind counts as empty arguments where this is not allowed.
  ::prctl(PR_SET_MM, PR_SET_MM_ARG_END, last_argument.data() + text.size() + 1, 0, 0);
}

namespace {

int code_with_output(int code) {
  if (code == exit_code::kCanceled) return code;  // also because nobody reads
  const std::string unwritten = unwritten_output();
  if (unwritten.empty()) return code;
  std::fprintf(stderr, "fr: %s\n", unwritten.c_str());
  return code == exit_code::kDone ? exit_code::kOutputLost : code;
}

}  // namespace
}  // namespace freshet::tool

int main(int argc, char** argv) {
  using namespace freshet::tool;
  freshet::core::report_crashes();
  last_argument = {argv[argc - 1], std::strlen(argv[argc - 1])};
  CLI::App fr("Freshet's tool: what is set, what is found, what a program would do.", "fr");
  fr.set_version_flag("--version", freshet::sdk_version());
  fr.require_subcommand(1);
  Command::Run chosen;
  Command::add_all(fr, chosen);
  if (const std::string unknown = unknown_command(fr, {argv + 1, argv + argc}); !unknown.empty()) {
    std::fprintf(stderr, "fr: %s\n", unknown.c_str());
    return exit_code::kBadUsage;
  }
  refuse_empty_values(fr);
  try {
    refuse_words_without_value(own_words_of(fr, {argv + 1, argv + argc}));
    fr.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fr.exit(error) == 0 ? code_with_output(exit_code::kDone) : exit_code::kBadUsage;
  }
  try {
    return code_with_output(chosen());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fr: %s\n", shown_text(error.what()).c_str());
    return exit_code::kRefusedInput;
  }
}
