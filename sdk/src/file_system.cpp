#include "freshet/plugin/file_system.h"

#include <algorithm>

namespace freshet {

std::string shown_url(std::string_view url) {
  std::string shown;
  const std::size_t mark = url.find("://");
  if (mark != std::string_view::npos) {
    const std::size_t begin = mark + 3;
    const std::string_view host =
        url.substr(begin, std::min(url.find_first_of("/?#\\", begin), url.size()) - begin);
    const std::size_t at = host.rfind('@');
    shown = url.substr(0, begin);
    if (at != std::string_view::npos) shown += "***@";
    url.remove_prefix(begin + (at == std::string_view::npos ? 0 : at + 1));
  }
  const std::size_t end = std::min(url.find_first_of("?#"), url.size());
  shown += url.substr(0, end);
  if (end < url.size()) shown += std::string(1, url[end]) + "***";
  for (char& byte : shown)
    if (static_cast<unsigned char>(byte) < ' ' || byte == '\x7f') byte = '?';
  return shown;
}

FetchSink::~FetchSink() = default;
FileSystem::~FileSystem() = default;

}  // namespace freshet
