#include "shared_objects/pinned_file.h"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "shared_objects/refused_file.h"

namespace freshet::core {
namespace {

constexpr std::string_view kDescriptors = "/proc/self/./";

}  // namespace

PinnedFile::PinnedFile(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (file_.get() < 0)
    throw RefusedFile(path, std::string("can't be opened: ") + std::strerror(errno) +
                                ": make it readable for this user");
  // The loader takes a name that it saw before for the same file, and descriptors are used
  // again: the bits of a number make the name one of its own ("/fd/.." leads nowhere else).
  static std::atomic<std::uint64_t> pinned{0};
  path_ = kDescriptors;
  for (std::uint64_t bits = ++pinned; bits != 0; bits >>= 1) path_ += bits & 1 ? "fd/../" : "./";
  path_ += "fd/" + std::to_string(file_.get());
}

bool PinnedFile::is_path_of_one(std::string_view path) {
  return path.substr(0, kDescriptors.size()) == kDescriptors;
}

}  // namespace freshet::core
