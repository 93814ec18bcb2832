// fr: looks into Freshet's configuration, plugins and applications. See command.h.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "command.h"
#include "freshet/api.h"
#include "freshet/error.h"

namespace freshet::tool {
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

}  // namespace freshet::tool

int main(int argc, char** argv) {
  using namespace freshet::tool;
  CLI::App fr("Freshet's tool: what is set, what is found, what a program would do.", "fr");
  fr.set_version_flag("--version", freshet::sdk_version());
  fr.require_subcommand(1);
  Command::Run chosen;
  Command::add_all(fr, chosen);
  try {
    fr.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fr.exit(error) == 0 ? kDone : kBadUsage;
  }
  try {
    const int code = chosen();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      std::perror("fr: can't write the output");
      return kRefusedInput;
    }
    return code;
  } catch (const freshet::Error& error) {
    std::fprintf(stderr, "fr: %s\n", error.what());
    return kRefusedInput;
  }
}
