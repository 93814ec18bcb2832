// Files of the job manager's own host, local:///PATH and file:///PATH, inside the folders that the
// cluster may read (fetch.allowed-folders).
//
// Judged is the file that was opened, wherever the links on its path have led; so a link that
// leads out is refused, and nothing can be exchanged in between. Of a path outside it is not told
// whether there is anything.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/plugin/file_system.h"

namespace freshet::core {

class FRESHET_API AllowedFolders final : public FileSystem {
 public:
  // Throws InvalidInput unless all are absolute paths. They need not exist. `clock` outlives it.
  AllowedFolders(const Clock& clock, const std::vector<std::string>& folders);
  ~AllowedFolders() override;

  const char* name() const override { return "allowed folders"; }
  std::vector<std::string> schemes() const override { return {"local", "file"}; }
  void fetch(const std::string& url, const FetchRules& rules, FetchSink& sink) const override;

 private:
  bool holds(const std::filesystem::path& path) const;
  [[noreturn]] void refuse(const std::string& url, const std::string& what) const;

  const Clock& clock_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace freshet::core
