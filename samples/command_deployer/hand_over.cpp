#include "hand_over.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "freshet/error.h"

namespace command_deployer {
namespace fs = std::filesystem;

namespace {

constexpr const char* kTake = R"(exec 3<"$1" && rm -- "$1" && shift && exec "$@")";

// Children of the processes have the mark, too, so that nothing of a cluster is left. One that has
// ended, and for which nobody has waited yet, has no environment any more.
constexpr const char* kKill = R"(
i=0
while files=$(grep -lzxF -e "$1" /proc/[0-9]*/environ 2>/dev/null); [ -n "$files" ]; do
  [ "$i" -lt 100 ] || { echo "processes with $1 can't be killed: $files" >&2; exit 1; }
  for file in $files; do process=${file#/proc/}; kill -KILL "${process%/environ}" 2>/dev/null; done
  i=$((i + 1)); sleep 0.05
done)";

std::string prefix_of(const std::string& cluster_id) {
  return "command-deployer." + cluster_id + ".";
}

}  // namespace

std::string state_home() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return state;
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state";
  return fs::temp_directory_path().string();
}

std::string hand_over_path(const std::string& cluster_id, const std::string& process) {
  return state_home() + "/" + prefix_of(cluster_id) + process;
}

void write_hand_over(const std::string& cluster_id, const std::string& process,
                     const std::string& text) {
  fs::create_directories(state_home());
  const std::string path = hand_over_path(cluster_id, process);
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int why = errno;
  if (file >= 0) ::close(file);
  if (!written)
    throw freshet::Error("'" + path + "' can't be written: " + std::strerror(why) +
                         ": make room there, or set XDG_STATE_HOME");
}

void remove_hand_overs(const std::string& cluster_id) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(state_home(), ignored)) {
    if (entry.path().filename().string().rfind(prefix_of(cluster_id), 0) == 0)
      fs::remove(entry.path(), ignored);
  }
}

std::vector<std::string> taking(const std::string& file, const std::string& mark,
                                const std::vector<std::string>& words) {
  std::vector<std::string> command{"env", mark};
  for (const char* name : {"XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
    if (const char* value = std::getenv(name)) command.push_back(name + ("=" + std::string(value)));
  }
  for (const std::string word : {"sh", "-c", kTake, "sh"}) command.push_back(word);
  command.push_back(file);
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::vector<std::string> killing(const std::string& mark) {
  return {"sh", "-c", kKill, "sh", mark};
}

}  // namespace command_deployer
