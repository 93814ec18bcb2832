// The open file behind a path, whatever is put there later.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

class FRESHET_API PinnedFile {
 public:
  // Throws RefusedFile if it can't be opened.
  explicit PinnedFile(const std::filesystem::path& path);

  // Leads to the open file for as long as this object lives, in this process. Of its own: no other
  // pinned file ever has or had it.
  const std::string& path() const { return path_; }
  static bool is_path_of_one(std::string_view path);

 private:
  const Descriptor file_;
  std::string path_;
};

}  // namespace freshet::core
