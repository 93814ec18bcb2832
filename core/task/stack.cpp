#include "task/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace freshet::core {

StackUnavailable::~StackUnavailable() = default;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kMostKept = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kMostKept = 0;
#else
constexpr std::size_t kMostKept = 64;
#endif
#else
constexpr std::size_t kMostKept = 64;
#endif

// Wide enough that a frame with a large array doesn't step over it.
constexpr std::size_t kGuard = std::size_t{64} * 1024;

std::size_t page() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

char* lowest(const boost::context::stack_context& stack) {
  return static_cast<char*>(stack.sp) - stack.size;
}

void unmap(const boost::context::stack_context& stack) noexcept {
  munmap(lowest(stack) - kGuard, stack.size + kGuard);
}

[[noreturn]] void refuse(std::size_t size) {
  const int why = errno;
  throw StackUnavailable("can't map a fiber's stack of " + std::to_string(size / 1024) +
                         " KiB: " + std::strerror(why) +
                         "; run fewer tasks per worker, lower task.stack-size, or raise the "
                         "kernel's vm.max_map_count (2 mappings per task)");
}

}  // namespace

StackPool::~StackPool() {
  for (const auto& stack : kept_) unmap(stack);
}

boost::context::stack_context StackPool::take(std::size_t size, StackGuard& guard) {
  size = (size + page() - 1) / page() * page();
  boost::context::stack_context stack;
  if (!kept_.empty() && kept_.back().size == size) {
    stack = kept_.back();
    kept_.pop_back();
  } else {
    void* memory = mmap(nullptr, kGuard + size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) refuse(size);
    if (mprotect(memory, kGuard, PROT_NONE) != 0) {
      const int why = errno;
      munmap(memory, kGuard + size);
      errno = why;
      refuse(size);
    }
    stack.sp = static_cast<char*>(memory) + kGuard + size;
    stack.size = size;
  }
  guard.high = lowest(stack);
  guard.low = guard.high - kGuard;
  return stack;
}

void StackPool::give_back(boost::context::stack_context& stack) noexcept {
  if (kept_.size() < kMostKept && (kept_.empty() || kept_.back().size == stack.size)) {
    try {
      kept_.push_back(stack);
      return;
    } catch (const std::bad_alloc&) {  // then it goes
    }
  }
  unmap(stack);
}

}  // namespace freshet::core
