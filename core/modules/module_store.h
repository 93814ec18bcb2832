// Copies of the files of applications, by content: <state folder>/apps/<hash of the set>/, in which
// every file stands under its own plain name, so that $ORIGIN and needed libraries work. Modules
// are loaded from there, so rebuilding or removing an application does not touch one that runs.
//
// A complete folder is never written to again. Any number of processes may store at once: each
// fills a folder of its own and renames it, the first one wins.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "security/sha256.h"

namespace freshet::core {

struct StoredFile {
  std::string name;
  Sha256 sha256;
  std::uint64_t size = 0;
  std::filesystem::path path;  // of the copy
};

struct StoredApplication {
  Sha256 set;  // of all names and contents, in any order
  std::filesystem::path folder;
  std::vector<StoredFile> files;  // in the order in which they were given
};

class FRESHET_API ModuleStore {
 public:
  // The folder is made when first needed, for this user alone.
  explicit ModuleStore(const std::filesystem::path& state_folder);
  // $XDG_CACHE_HOME/freshet, else ~/.cache/freshet, else <temporary folder>/freshet-<user id>.
  static std::filesystem::path default_state_folder();

  // Hashes the files and copies them unless that set is there already (same names and sizes, owned
  // by this user, writable by nobody else). Throws InvalidInput: a file that can't be read or that
  // changes meanwhile, two of one name, a state folder that others may write to, no space.
  StoredApplication store(const std::vector<std::filesystem::path>& files) const;

 private:
  void make_apps_folder() const;
  void copy(const StoredApplication& application,
            const std::vector<std::filesystem::path>& sources) const;
  void remove_abandoned() const;

  std::filesystem::path apps_;
};

}  // namespace freshet::core
