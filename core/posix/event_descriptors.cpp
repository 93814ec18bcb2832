#include "posix/event_descriptors.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

// Allocates nothing.
bool is_event(int number) noexcept {
  char path[32] = "/proc/self/fd/";
  char* const digits = path + std::strlen(path);
  *std::to_chars(digits, std::end(path) - 1, number).ptr = 0;
  char text[32];
  const ssize_t size = ::readlink(path, text, sizeof text);
  if (size < 0) return false;
  const std::string_view leads_to(text, static_cast<std::size_t>(size));
  return leads_to == "anon_inode:[eventfd]" || leads_to == "anon_inode:[eventpoll]";
}

}  // namespace

EventDescriptors::EventDescriptors() {
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator("/proc/self/fd", ignored)) {
    const int number = std::atoi(each.path().filename().c_str());
    if (is_event(number)) numbers_.push_back(number);
  }
}

bool EventDescriptors::are_open() const noexcept {
  return std::all_of(numbers_.begin(), numbers_.end(), is_event);
}

}  // namespace freshet::core
