// fr info: what jobs an application would run, and how: operators, tasks, exchanges, what is fused.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "command.h"
#include "configuration_flags.h"
#include "empty_values.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "graph/plan_printer.h"
#include "own_words.h"
#include "planning.h"

namespace freshet::tool {
using namespace core;
namespace {

enum class Form { kText, kDot, kJson };

struct CommandLine {
  std::string application, parallelism, plan_to;
  ConfigurationFlags configuration;
  std::vector<std::string> shipped, arguments;
  bool dot = false, json = false, verbose = false;
};

struct BadUsage : InvalidInput {
  using InvalidInput::InvalidInput;
};

void add_options(CLI::App& command, CommandLine& line) {
  command.add_flag("--dot", line.dot, "For Graphviz");
  command.add_flag("--json", line.json, "For programs: a list of plans");
  command.add_flag("-v,--verbose", line.verbose, "Also ids, types, schemas and settings");
  command.add_option("--parallelism", line.parallelism, "parallelism.default");
  line.configuration.add_to(command);
  command.add_option("--ship", line.shipped, "A file that the application needs beside it")
      ->allow_extra_args(false);
}

void tell(const std::string& text) { std::fprintf(stderr, "fr: %s\n", text.c_str()); }

// The words from the application on: options may stand behind it, too.
void read_words(CommandLine& line, std::vector<std::string> words) {
  if (words.empty()) throw BadUsage("no application is given: fr info [OPTIONS] APPLICATION ...");
  line.application = words.front();
  if (line.application.empty()) throw BadUsage("the application's name is empty: give its file");
  if (line.application.starts_with('-')) {
    throw BadUsage("there is no option '" + line.application + "' (fr info --help)");
  }
  words.erase(words.begin());
  CommandLine behind;
  CLI::App rest;
  add_options(rest, behind);
  const auto own = words.begin() + static_cast<std::ptrdiff_t>(own_words(rest, words, 0));
  line.arguments.assign(own, words.end());
  if (const std::string warning = warning_of_main_words(rest, line.arguments); !warning.empty())
    tell("warning: " + warning);
  words.erase(own, words.end());
  refuse_empty_values(rest);
  try {
    refuse_words_without_value(words);
    std::reverse(words.begin(), words.end());  // as CLI::App::parse() takes them
    rest.parse(words);
  } catch (const CLI::ParseError& error) {
    throw BadUsage(error.what());
  }
  if (!line.arguments.empty() && line.arguments.front() == "--") {
    line.arguments.erase(line.arguments.begin());
  }
  line.dot |= behind.dot;
  line.json |= behind.json;
  line.verbose |= behind.verbose;
  if (!behind.parallelism.empty()) line.parallelism = behind.parallelism;
  line.configuration.add(behind.configuration);
  line.shipped.insert(line.shipped.end(), behind.shipped.begin(), behind.shipped.end());
}

PlanRequest request_of(const CommandLine& line) {
  PlanRequest request{line.application, line.configuration.file, line.configuration.settings(),
                      line.shipped, line.arguments};
  if (!line.parallelism.empty()) {
    request.flags.push_back(
        {options::kParallelismDefault.key(), line.parallelism, "--parallelism"});
  }
  return request;
}

void print(const std::vector<JobGraph>& jobs, Form form, bool verbose) {
  if (form == Form::kJson) std::fputs("[", stdout);
  for (const JobGraph& job : jobs) {
    const PlanPrinter printer(job);
    const bool first = &job == &jobs.front();
    switch (form) {
      case Form::kText:
        std::fputs(((first ? "" : "\n") + printer.text(verbose)).c_str(), stdout);
        break;
      case Form::kDot:
        std::fputs(printer.dot().c_str(), stdout);
        break;
      case Form::kJson:
        std::fputs(((first ? "" : ",\n") + printer.json()).c_str(), stdout);
        break;
    }
  }
  if (form == Form::kJson) std::fputs("]\n", stdout);
}

int tell_end(const Plans& plans, const CommandLine& line) {
  const std::string& application = line.application;
  switch (plans.end) {
    case Plans::End::kWaits:
      if (line.verbose) tell("jobs that main starts after its first result are not shown");
      return exit_code::kDone;
    case Plans::End::kReturned:
      if (plans.jobs.empty()) tell("main of " + application + " has run no job");
      if (plans.text != "0") tell("main of " + application + " returned " + plans.text);
      return exit_code::kDone;
    case Plans::End::kRefused:
      tell(plans.text);
      return exit_code::kRefusedInput;
    case Plans::End::kThrew:
      tell("an exception left the main of " + application + ": " + plans.text);
      return exit_code::kRefusedInput;
    case Plans::End::kDied:
      tell("the process in which main of " + application + " ran ended with " + plans.text +
           " before main waited for a result or returned");
      return exit_code::kRefusedInput;
  }
  throw InvalidInput("the process in which main of " + application + " ran sent an odd report");
}

int run(CommandLine& line, const std::vector<std::string>& words) {
  if (!line.plan_to.empty()) return plan_here(line.plan_to);
  read_words(line, words);
  if (line.dot && line.json) throw BadUsage("--dot and --json exclude each other: give one");
  const Plans plans = plan_in_child(request_of(line));
  const Form form = line.dot ? Form::kDot : line.json ? Form::kJson : Form::kText;
  if (plans.end != Plans::End::kRefused || !plans.jobs.empty()) {
    print(plans.jobs, form, line.verbose);
  }
  return tell_end(plans, line);
}

const Command kInfo(
    "info", "Show the plans of an application's jobs without running them.",
    [](CLI::App& command) -> Command::Run {
      auto line = std::make_shared<CommandLine>();
      command.footer(
          "Then comes the application, a .so made with FRESHET_APPLICATION, or a file that a "
          "front\n"
          "end reads. The first word behind it that is none of these options, and all after that\n"
          "(or after --), is main's or the front end's.\n\n"
          "Runs main in a process of its own, up to the first result that it waits for; what main\n"
          "prints goes to stderr.");
      add_options(command, *line);
      command.add_option("--plan-to", line->plan_to)->group("");  // fr's own
      command.prefix_command();
      return [line, &command] {
        try {
          return run(*line, command.remaining());
        } catch (const BadUsage& error) {
          tell(error.what());
          return exit_code::kBadUsage;
        }
      };
    });

}  // namespace
}  // namespace freshet::tool
