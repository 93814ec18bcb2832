#include "plugin/resources.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace freshet::tool {
namespace fs = std::filesystem;

std::vector<std::string> open_descriptors() {
  std::vector<std::string> open;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
    const fs::path target = fs::read_symlink(entry.path(), ignored);
    // The one by which this list is read.
    if (target.native().find("/fd") != std::string::npos &&
        target.native().rfind("/proc/", 0) == 0) {
      continue;
    }
    open.push_back(entry.path().filename().string() + " -> " + target.string());
  }
  std::sort(open.begin(), open.end());
  return open;
}

std::size_t thread_count() {
  std::size_t threads = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/task", ignored)) {
    static_cast<void>(entry);
    ++threads;
  }
  return threads;
}

std::size_t heap_bytes_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0, shared = 0;
  std::ifstream("/proc/self/statm") >> total >> resident >> shared;
  return (resident - shared) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace freshet::tool
