#include "task/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

namespace freshet {

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
constexpr std::size_t kSignalStack = std::size_t{64} * 1024;

bool (*who_runs)(RunningFiber&) = nullptr;
struct sigaction before;

// Only what a signal handler may do.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text && used_ < sizeof text_) text_[used_++] = *text++;
    return *this;
  }
  Line& operator<<(std::size_t number) {
    char digits[24];
    std::size_t at = sizeof digits;
    digits[--at] = 0;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while (number /= 10);
    return *this << digits + at;
  }
  void print() { static_cast<void>(!write(STDERR_FILENO, text_, used_)); }

 private:
  char text_[512];
  std::size_t used_ = 0;
};

// As if nobody had handled it, once the handler has returned. Without being raised again, a signal
// that was sent, and is no fault of an instruction that would run again, would be lost.
void end_by(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const char* at = static_cast<const char*>(info->si_addr);
  RunningFiber running;
  if (who_runs(running) && at >= running.guard.low && at < running.guard.high) {
    Line line;
    line << "freshet: the stack of '" << running.name << "' has overflowed its "
         << running.stack_size / 1024 << " KiB: raise task.stack-size\n";
    line.print();
    end_by(signal);
    errno = saved;
    return;
  }
  errno = saved;
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    end_by(signal);
  } else {
    before.sa_handler(signal);
  }
}

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

void report_stack_overflows(bool (*running)(RunningFiber&)) {
  static std::once_flag once;
  std::call_once(once, [running] {
    who_runs = running;
    struct sigaction ours {};
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGSEGV, &ours, &before);
  });
}

SignalStack::SignalStack() {
  stack_t old{};
  if (sigaltstack(nullptr, &old) == 0 && !(old.ss_flags & SS_DISABLE)) return;  // has one
  memory_ = mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;  // an overflow then dies unreported
    return;
  }
  stack_t ours{};
  ours.ss_sp = memory_;
  ours.ss_size = kSignalStack;
  sigaltstack(&ours, nullptr);
}

SignalStack::~SignalStack() {
  if (!memory_) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  munmap(memory_, kSignalStack);
}

}  // namespace freshet
