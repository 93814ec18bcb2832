// fr run: fr-run under fr's own name.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "command.h"
#include "freshet/error.h"

namespace freshet::tool {
namespace {

int run(const std::vector<std::string>& words) {
  std::error_code ignored;
  const std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::filesystem::path places[] = {folder / "fr-run",
                                          folder.parent_path() / "fr-run/fr-run"};
  std::vector<char*> argv;
  std::string name = "fr-run";
  argv.push_back(name.data());
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  for (const auto& place : places) ::execv(place.c_str(), argv.data());
  throw InvalidInput("fr-run can't be started: " + std::string(std::strerror(errno)) +
                     ": looked for " + places[0].native() + ": install Freshet whole");
}

const Command kRun("run", "Run an application on a target; as fr-run.", [](CLI::App& command) {
  command.prefix_command();
  command.set_help_flag();
  return [&command] { return run(command.remaining()); };
});

}  // namespace
}  // namespace freshet::tool
