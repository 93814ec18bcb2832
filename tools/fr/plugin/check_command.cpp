// fr plugin check: runs the cases and tells how they went.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "plugin/case_process.h"
#include "plugin/check.h"
#include "plugin/plugin_command.h"
#include "plugin_catalog/plugin_catalog.h"
#include "posix/system_reason.h"

namespace freshet::tool {
using namespace core;
namespace {

using Json = nlohmann::ordered_json;
using Verdict = CaseResult::Verdict;

struct CommandLine {
  CheckRequest request;
  std::vector<std::string> only;
  double limit_seconds = 30;
  bool json = false;
  std::string run_case, report_to;  // fr's own
};

struct Told {
  Case what;
  CaseResult result;
};

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "FAILED";
    case Verdict::kSkipped:
      return "skipped";
  }
  return "";
}

struct BadUsage : InvalidInput {
  using InvalidInput::InvalidInput;
};

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "freshet-plugin-check-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw InvalidInput("can't make a folder like " + name + ": " +
                         reason_with_mend(errno, "let TMPDIR be a folder of this user"));
    path_ = name;
  }
  ~ScratchFolder() {
    kill_clusters_below(path_);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string made(const std::string& name) const {
    std::filesystem::create_directory(path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

void print_line(const Told& told) {
  std::printf("  %-8s %-20s %-62s %5.2f s\n", name_of(told.result.verdict), told.what.name,
              told.what.sentence, told.result.seconds);
  std::string detail = told.result.detail;
  if (detail.empty()) return;
  for (std::size_t at = 0; (at = detail.find('\n', at)) != std::string::npos;) {
    detail.insert(++at, "           ");
  }
  std::printf("           %s\n", detail.c_str());
}

Json json_of(const CatalogEntry& entry, const std::vector<Told>& all) {
  Json cases = Json::array();
  for (const Told& told : all) {
    std::string verdict = name_of(told.result.verdict);
    std::transform(verdict.begin(), verdict.end(), verdict.begin(), ::tolower);
    cases.push_back({{"name", told.what.name},
                     {"sentence", told.what.sentence},
                     {"result", verdict},
                     {"detail", told.result.detail},
                     {"seconds", told.result.seconds}});
  }
  const PluginIdentity& identity = entry.file.identity;
  return {{"file", entry.file.path.native()},
          {"kind", identity.kind == 0 ? "" : kind_name(identity.kind)},
          {"name", identity.name},
          {"version", identity.version},
          {"cases", cases}};
}

std::vector<Case> chosen_cases(std::uint32_t kind, const std::vector<std::string>& only) {
  std::vector<Case> cases = cases_of(kind);
  if (only.empty()) return cases;
  std::string names;
  for (const Case& each : cases) names += std::string(names.empty() ? "" : ", ") + each.name;
  for (const std::string& name : only) {
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& c) { return c.name == name; })) {
      throw BadUsage("there is no case '" + name + "' for this kind: there are " + names);
    }
  }
  std::erase_if(cases, [&](const Case& each) {
    return std::find(only.begin(), only.end(), each.name) == only.end();
  });
  return cases;
}

int check(CommandLine& line) {
  const CatalogEntry entry = judged_plugin(line.request.file);
  const PluginIdentity& identity = entry.file.identity;
  const bool refused = entry.state != CatalogEntry::State::kUsable;
  // Told once if they are wrong.
  static_cast<void>(line.request.configuration.load());
  try {
    static_cast<void>(read_payloads(line.request.payloads));
  } catch (const InvalidInput& error) {
    throw BadUsage(error.what());
  }
  std::vector<Case> cases;
  if (!refused) cases = chosen_cases(identity.kind, line.only);

  if (!line.json) {
    const std::string what = refused ? "is refused"
                                     : kind_name(identity.kind) + " '" + printable(identity.name) +
                                           "' " + printable(identity.version);
    std::printf("%s %s\n", printable(entry.file.path.native(), 4096).c_str(), what.c_str());
  }
  std::vector<Told> all;
  const auto tell = [&](const Case& what, const CaseResult& result) {
    all.push_back({what, result});
    if (line.json) return;
    print_line(all.back());
    std::fflush(stdout);
  };
  if (refused) tell(life_cases(0).front(), {Verdict::kFailed, entry.reason, 0});

  hold_interrupts();
  const ScratchFolder scratch;
  std::set<std::string> did_not_pass;
  for (const Case& each : cases) {
    CaseResult result;
    if (did_not_pass.count(each.needs) != 0) {
      result = {Verdict::kSkipped, std::string("since '") + each.needs + "' did not pass", 0};
    } else {
      line.request.folder = scratch.made(each.name);
      result = run_case(line.request, each.name, line.limit_seconds);
    }
    if (result.verdict != Verdict::kPassed) did_not_pass.insert(each.name);
    tell(each, result);
  }
  const auto count = [&](Verdict verdict) {
    return std::count_if(all.begin(), all.end(),
                         [&](const Told& told) { return told.result.verdict == verdict; });
  };
  if (line.json) {
    Json whole = json_of(entry, all);
    whole["passed"] = count(Verdict::kPassed);
    whole["failed"] = count(Verdict::kFailed);
    whole["skipped"] = count(Verdict::kSkipped);
    std::printf("%s\n", whole.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::printf("%td passed, %td failed, %td skipped\n", count(Verdict::kPassed),
                count(Verdict::kFailed), count(Verdict::kSkipped));
  }
  return refused                        ? exit_code::kRefusedInput
         : count(Verdict::kFailed) != 0 ? exit_code::kCaseFailed
                                        : exit_code::kDone;
}

int run(CommandLine& line) {
  if (!line.report_to.empty()) {
    line.request.configuration.warns = false;
    return run_case_here(line.request, line.run_case, line.report_to);
  }
  try {
    return check(line);
  } catch (const BadUsage& error) {
    std::fprintf(stderr, "fr: %s\n", error.what());
    return exit_code::kBadUsage;
  } catch (const Interrupted&) {
    return exit_code::kCanceled;
  }
}

}  // namespace

void add_plugin_check(CLI::App& plugin, Command::Run& chosen) {
  CLI::App* command = plugin.add_subcommand(
      "check", "The test kit for authors: whether a plugin keeps the contract, case by case.");
  command->footer(
      "Each case runs in a process of its own. Exit codes: 0 no case failed, 1 some did, 2 the "
      "file\n"
      "is refused and none of its code has run, 64 bad usage, 130 interrupted.");
  auto line = std::make_shared<CommandLine>();
  CheckRequest& request = line->request;
  command->add_option("FILE", request.file, "The plugin, or an application")->required();
  command->add_option(
      "ARGUMENT", request.arguments,
      "For the main of an application, or for the sample of a front end, behind --");
  request.configuration.add_to(*command);
  command->add_option("--target", request.target,
                      "The target that an executor is asked for; its name otherwise");
  command
      ->add_option(
          "--payload", request.payloads,
          "A value that a registered operator is made from, such as string:/tmp/x, i64:4,\n"
          "@FILE; {new} stands for a path at which there is nothing yet; repeatable, in order")
      ->type_name("OPERATOR=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--sample", request.sample,
                   "A file that a front end reads, which is damaged in copies")
      ->check(CLI::ExistingFile);
  command->add_option("--case", line->only, "Only this case; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_option("--time-limit", line->limit_seconds, "For each case, in seconds")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_flag("--json", line->json, "For programs");
  command->add_option("--run-case", line->run_case)->group("");
  command->add_option("--report-to", line->report_to)->group("");
  command->add_option("--folder", request.folder)->group("");
  command->callback([line, &chosen] { chosen = [line] { return run(*line); }; });
}

}  // namespace freshet::tool
