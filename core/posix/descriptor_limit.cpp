#include "posix/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "freshet/error.h"

namespace freshet::core {
namespace {

constexpr rlim_t kMost = rlim_t{1} << 20;

}  // namespace

int descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min(limit.rlim_cur, kMost));
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, kMost);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));  // refused: it goes on with what it has
}

void require_descriptors() {
  constexpr int kFewest = 64;
  if (descriptor_limit() >= kFewest) return;
  throw InvalidInput(
      "this process may have " + std::to_string(descriptor_limit()) +
      " files and sockets open, and a process of a cluster or a client of one needs " +
      std::to_string(kFewest) + ": raise the limit (ulimit -n)");
}

}  // namespace freshet::core
