#include "posix/event_descriptors.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

bool is_event(int number) {
  std::error_code ignored;
  const std::string leads_to =
      fs::read_symlink("/proc/self/fd/" + std::to_string(number), ignored).native();
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

bool EventDescriptors::are_open() const {
  return std::all_of(numbers_.begin(), numbers_.end(), is_event);
}

}  // namespace freshet::core
