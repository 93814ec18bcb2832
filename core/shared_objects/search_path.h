// The folders in which plugins are looked for, in order: option plugin.dirs (--plugin-dir), then
// FRESHET_PLUGIN_PATH, then $XDG_DATA_HOME/freshet/plugins (~/.local/share if that is unset), then
// <libdir>/freshet/plugins of the running Freshet. Never the working folder.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

struct SearchFolder {
  std::filesystem::path path;
  std::string origin;   // "option plugin.dirs", "FRESHET_PLUGIN_PATH", ...
  std::string skipped;  // why it is not looked into, with the mend; empty: it is

  // "/opt/plugins (option plugin.dirs)", with the reason if it was skipped.
  FRESHET_API std::string text() const;
};

// Who could change what this user runs: why somebody else than this user and root may write to it,
// or owns it, with mode, owner and the fix; empty if nobody may. `what`: "a plugin folder".
FRESHET_API std::string open_to_others(const struct stat& facts, const std::string& what);
// The same of a plugin folder and of the folders above it, by which it could be replaced; of those,
// sticky ones such as /tmp may be written to.
FRESHET_API std::string open_to_others(const std::filesystem::path& folder);

class FRESHET_API SearchPath {
 public:
  struct Sources {
    std::vector<std::string> option_folders;  // relative ones start at the working folder
    std::optional<std::string> plugin_path;   // FRESHET_PLUGIN_PATH
    std::optional<std::string> data_home;     // XDG_DATA_HOME
    std::optional<std::string> home;          // HOME
    bool privileged = false;                  // set-user-id and the like: no environment
    std::filesystem::path core_library;       // libfreshet-core.so, as it was loaded

    static Sources of_this_process(std::vector<std::string> option_folders);
  };

  explicit SearchPath(const Sources& sources);
  const std::vector<SearchFolder>& folders() const { return folders_; }

 private:
  void add(const std::filesystem::path& path, const std::string& origin);
  void add_build_tree(const std::filesystem::path& plugins);

  std::vector<SearchFolder> folders_;
};

}  // namespace freshet::core
