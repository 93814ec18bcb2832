#include "shared_objects/refused_file.h"

namespace freshet::core {

RefusedFile::RefusedFile(const std::filesystem::path& file, const std::string& reason)
    : InvalidInput(printable(file.native(), 4096) + ": " + reason), file_(file), reason_(reason) {}

RefusedFile::~RefusedFile() = default;

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown;
  for (const char c : text.substr(0, limit)) shown += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > limit) shown += "...";
  return shown;
}

}  // namespace freshet::core
