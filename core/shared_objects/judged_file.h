// One file in the eyes of the catalog, and the memory of those judged before.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "shared_objects/plugin_file.h"

namespace freshet::core {

struct CatalogEntry {
  enum class State {
    kUsable,
    kShadowed,  // a usable one of the same name stands earlier in the search path
    kRefused,
  };

  // Of a refused one only the path is certain; its identity is there as far as it could be read
  // (kind is FRESHET_KIND_NONE if nothing could).
  PluginFile file;
  State state = State::kUsable;
  std::string reason;                          // shadowed by which file, or why it is refused
  std::vector<std::filesystem::path> shadows;  // what this one hides
  std::vector<std::string> differences;        // of its build, shown and not judged
};

// One file, judged as the catalog would, without any folder: usable or refused, never shadowed. An
// application is usable here. Runs none of its code; throws nothing that the file is the cause of.
FRESHET_API CatalogEntry judged_file(const std::filesystem::path& file);

// Remembers files by their identity, so that none is read twice while it stays the same.
//
// A file is remembered only once it has been left alone for `settled`: the clocks of file systems
// are coarse, so of one that has just been written to, the next change may not show.
//
// Threads    Any.
class FRESHET_API JudgedFiles {
 public:
  explicit JudgedFiles(std::chrono::nanoseconds settled = std::chrono::seconds(3));
  static JudgedFiles& of_this_process();

  // As judged_file().
  CatalogEntry judged(const std::filesystem::path& file);
  // How many files were opened so far.
  std::uint64_t reads() const;

 private:
  const std::chrono::nanoseconds settled_;
  mutable std::mutex mutex_;
  std::map<FileIdentity, CatalogEntry> known_;
  std::uint64_t reads_ = 0;
};

}  // namespace freshet::core
