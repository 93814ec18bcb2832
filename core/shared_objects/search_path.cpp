#include "shared_objects/search_path.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "shared_objects/refused_file.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

std::string user_of(uid_t id) {
  passwd entry{};
  passwd* found = nullptr;
  char text[4096];
  if (::getpwuid_r(id, &entry, text, sizeof text, &found) != 0 || found == nullptr)
    return std::to_string(id);
  return "'" + printable(found->pw_name, 64) + "'";
}

std::string owned_by_another(const struct stat& facts, const std::string& what) {
  if (facts.st_uid == ::geteuid() || facts.st_uid == 0) return {};
  return "it belongs to user " + user_of(facts.st_uid) + " (mode " + octal(facts.st_mode) +
         "), and this is user " + user_of(::geteuid()) + ": " + what +
         " belongs to this user or to root: chown it, or copy it to a folder of this user";
}

}  // namespace

std::string open_to_others(const struct stat& facts, const std::string& what) {
  const std::string mode = "mode " + octal(facts.st_mode);
  if ((facts.st_mode & S_IWOTH) != 0)
    return "anybody may write to it (" + mode + "), " + what +
           " is writable by its owner: chmod o-w it";
  if ((facts.st_mode & S_IWGRP) != 0)
    return "its group may write to it (" + mode + ", group " + std::to_string(facts.st_gid) +
           ", owner " + user_of(facts.st_uid) + "), " + what +
           " is writable by its owner: chmod g-w it";
  return owned_by_another(facts, what);
}

std::string open_to_others(const fs::path& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) == 0) {
    const std::string reason = open_to_others(facts, "a plugin folder");
    if (!reason.empty()) return reason;
  }
  // Whoever may write to a folder above may put another in its place, unless it is sticky; its
  // owner may in any case.
  std::error_code unreadable;
  const fs::path real = fs::canonical(folder, unreadable);
  for (fs::path above = real; above.has_relative_path();) {
    above = above.parent_path();
    if (::stat(above.c_str(), &facts) != 0) continue;
    const std::string what = "a folder above plugins";
    const bool is_sticky = (facts.st_mode & S_ISVTX) != 0;
    const std::string reason =
        is_sticky ? owned_by_another(facts, what) : open_to_others(facts, what);
    if (!reason.empty())
      return "of the folder " + printable(above.native(), 4096) + " above it: " + reason;
  }
  return {};
}

namespace {

// Why nobody should load code from there; empty if there is no such reason.
std::string unfit(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return "does not exist: make it to put plugins there";
    return std::string("can't be entered: ") + std::strerror(errno) +
           ": make it readable for this user";
  }
  if (!S_ISDIR(facts.st_mode)) return "is no folder: give the folder that the plugins stand in";
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) != 0)
    return std::string("can't be entered: ") + std::strerror(errno) +
           ": make it readable for this user";
  return open_to_others(path);
}

}  // namespace

std::string SearchFolder::text() const {
  return printable(path.native(), 4096) + " (" + origin +
         (skipped.empty() ? "" : "; skipped: " + skipped) + ")";
}

SearchPath::Sources SearchPath::Sources::of_this_process(std::vector<std::string> option_folders) {
  Sources sources;
  sources.option_folders = std::move(option_folders);
  sources.plugin_path = environment("FRESHET_PLUGIN_PATH");
  sources.data_home = environment("XDG_DATA_HOME");
  sources.home = environment("HOME");
  sources.privileged = ::getauxval(AT_SECURE) != 0;
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&environment), &here) != 0)
    sources.core_library = here.dli_fname;
  return sources;
}

SearchPath::SearchPath(const Sources& sources) {
  std::error_code ignored;
  for (const std::string& folder : sources.option_folders)
    add(fs::absolute(folder, ignored).lexically_normal(), "option plugin.dirs");

  if (!sources.privileged) {
    std::string rest = sources.plugin_path.value_or("");
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      const fs::path folder = rest.substr(0, colon);
      rest.erase(0, colon + 1);
      if (folder.empty()) continue;
      if (folder.is_absolute())
        add(folder, "FRESHET_PLUGIN_PATH");
      else
        folders_.push_back({folder, "FRESHET_PLUGIN_PATH",
                            "is relative, only absolute folders count there: write it out"});
    }
    if (sources.data_home && fs::path(*sources.data_home).is_absolute())
      add(fs::path(*sources.data_home) / "freshet/plugins", "XDG_DATA_HOME");
    else if (sources.home && fs::path(*sources.home).is_absolute())
      add(fs::path(*sources.home) / ".local/share/freshet/plugins", "home folder");
  }

  if (sources.core_library.empty()) return;
  const fs::path libraries =
      fs::absolute(sources.core_library, ignored).lexically_normal().parent_path();
  if (fs::exists(libraries.parent_path() / "meson-private", ignored))
    add_build_tree(libraries.parent_path() / "plugins");
  else
    add(libraries / "freshet/plugins", "installed with Freshet");
}

void SearchPath::add(const fs::path& path, const std::string& origin) {
  std::string skipped = unfit(path);
  if (skipped.empty()) {
    for (const SearchFolder& earlier : folders_) {
      std::error_code ignored;
      if (earlier.skipped.empty() && fs::equivalent(earlier.path, path, ignored))
        skipped = "is searched above already: name it once";
    }
  }
  folders_.push_back({path, origin, skipped});
}

// Where Freshet runs from the folder that it was built in, each plugin stands where it was built.
void SearchPath::add_build_tree(const fs::path& plugins) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(plugins, ignored);
       at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    if (at->is_directory(ignored) && at->path().extension() == ".p")
      at.disable_recursion_pending();
    else if (at->path().extension() == ".so")
      found.push_back(at->path().parent_path());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (const fs::path& folder : found) add(folder, "build tree");
  if (found.empty()) add(plugins, "build tree");
}

}  // namespace freshet::core
