#include "host/state_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "freshet/error.h"
#include "security/sha256.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLogsKept = 20;
constexpr std::size_t kLongestSocketFolder = 70;  // of 107 bytes of a socket's path

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "0%o", mode & 07777U);
  return text;
}

bool is_absolute(const char* path) { return path != nullptr && fs::path(path).is_absolute(); }

}  // namespace

void check_cluster_id(const std::string& id) {
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (plain && !id.empty() && id.size() <= 64) return;
  throw InvalidInput("'" + id.substr(0, 100) +
                     "' is no cluster id: take 1 to 64 characters of a-z, 0-9, - and _");
}

void make_private_folder(const fs::path& folder) {
  std::error_code ignored;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), ignored);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw InvalidInput(folder.native() + ": can't be made, files of clusters are kept there: " +
                       std::strerror(errno) +
                       ": make it writable, or set XDG_STATE_HOME to a folder of this user");
  check_private_folder(folder);
}

void check_private_folder(const fs::path& folder) {
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR)) return;
  if (!S_ISDIR(facts.st_mode))
    throw InvalidInput(folder.native() +
                       ": is no folder, files of clusters are kept there: " + "remove it");
  if (facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0)
    throw InvalidInput(
        folder.native() + ": files of clusters are kept there, but it belongs to user " +
        std::to_string(facts.st_uid) + " with mode " + octal(facts.st_mode) + " and must be user " +
        std::to_string(::geteuid()) + "'s alone (0700): remove it, or chmod 700");
}

StateFolder::StateFolder(fs::path root) : root_(std::move(root)) {}

StateFolder StateFolder::of_this_user() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (is_absolute(state)) return StateFolder(fs::path(state) / "freshet");
  const char* home = std::getenv("HOME");
  if (is_absolute(home)) return StateFolder(fs::path(home) / ".local/state/freshet");
  std::error_code ignored;
  return StateFolder(fs::temp_directory_path(ignored) /
                     ("freshet-" + std::to_string(::geteuid()) + "-state"));
}

void StateFolder::make_root() const { make_private_folder(root_); }

fs::path StateFolder::sockets(const std::string& id) const {
  check_cluster_id(id);
  // Two state folders may each have a cluster of that id.
  const std::string name = "freshet-" + std::to_string(::geteuid()) + "-" +
                           Sha256::of(root_.native() + '\0' + id).short_hex();
  std::error_code ignored;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  struct stat facts {};
  if (is_absolute(runtime) && ::stat(runtime, &facts) == 0 && S_ISDIR(facts.st_mode) &&
      facts.st_uid == ::geteuid() && (facts.st_mode & 077) == 0) {
    fs::path folder = fs::path(runtime) / name;
    if (folder.native().size() <= kLongestSocketFolder) return folder;
  }
  fs::path folder = fs::temp_directory_path(ignored) / name;
  return folder.native().size() <= kLongestSocketFolder ? folder : fs::path("/tmp") / name;
}

fs::path StateFolder::make_clusters() const {
  make_root();
  make_private_folder(clusters());
  return clusters();
}

fs::path StateFolder::make_run(const std::string& id) const {
  check_cluster_id(id);
  make_root();
  make_private_folder(runs());
  make_private_folder(run(id));
  return run(id);
}

fs::path StateFolder::make_sockets(const std::string& id) const {
  const fs::path folder = sockets(id);
  make_private_folder(folder);
  return folder;
}

fs::path StateFolder::make_logs(const std::string& id) const {
  check_cluster_id(id);
  make_root();
  make_private_folder(all_logs());
  make_private_folder(logs(id));
  std::vector<std::pair<fs::file_time_type, fs::path>> old;
  std::error_code ignored;
  for (auto at = fs::directory_iterator(all_logs(), ignored); at != fs::directory_iterator();
       at.increment(ignored)) {
    if (!fs::exists(run(at->path().filename()), ignored) && at->path().filename() != id)
      old.emplace_back(at->last_write_time(ignored), at->path());
  }
  std::sort(old.begin(), old.end());
  for (std::size_t i = 0; i + kLogsKept < old.size(); ++i) fs::remove_all(old[i].second, ignored);
  return logs(id);
}

}  // namespace freshet::core
