#include "crash/crash_handler.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>

#include "crash/crash_writer.h"
#include "crash/plain_report.h"
#include "crash/symbolizer.h"

namespace freshet::core {
namespace {

constexpr std::size_t kSignalStack = std::size_t{128} * 1024;
constexpr int kPatienceMs = 15'000;  // for the child, which has a limit of its own

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FRESHET_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FRESHET_SANITIZED 1
#endif
#endif
#ifdef FRESHET_SANITIZED
constexpr int kSignals[] = {SIGSEGV};  // the others are the sanitizer's
#else
constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
#endif

// All that the handler needs, made before.
std::atomic<bool (*)(RunningFiber&)> running_fiber{nullptr};
std::atomic<bool (*)()> aborts_wait{nullptr};
struct sigaction before[std::size(kSignals)];
CrashArea own_area;               // untouched memory until then
CrashArea* given_area = nullptr;  // shared with the parent
pid_t owner_of_given_area = 0;
char program[4096];  // the symbolizer; empty if there is none
const char* arguments[] = {program, "--report", nullptr, nullptr};

CrashText report;
std::atomic<pid_t> reporter{0};  // the thread that writes
std::atomic<bool> handed_over{false};

// As if nobody had handled it: at once, since the handler does not block it. Without being raised
// again a signal that was sent, and is no fault of an instruction that would run again, would be
// lost.
void end_by(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

bool go_to_the_parent() { return given_area != nullptr && owner_of_given_area == ::getpid(); }

// Whether it began.
bool run_program(int input) {
  volatile bool began = true;  // set by the child, which shares our memory until it has begun
  const pid_t child = ::vfork();
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::dup2(input, 3) >= 0) ::execve(program, const_cast<char* const*>(arguments), ::environ);
    began = false;
    ::_exit(127);
  }
  if (child < 0) return false;
  // A process that reaps all its children may reap this one first.
  pollfd end{static_cast<int>(::syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
  if (end.fd >= 0) static_cast<void>(::poll(&end, 1, kPatienceMs));
  return began;
}

void hand_over() {
  report.close();
  if (go_to_the_parent()) return;
  const std::size_t used = own_area.used.load();
  const int file = static_cast<int>(::syscall(SYS_memfd_create, "crash", 0U));
  const bool is_told = program[0] != 0 && file >= 0 && used > 0 &&
                       ::write(file, own_area.text, used) == static_cast<ssize_t>(used) &&
                       ::lseek(file, 0, SEEK_SET) == 0 && run_program(file);
  if (!is_told) print_plain_report(STDERR_FILENO, {own_area.text, used}, arguments[2] != nullptr);
}

void write_report(int signal, const siginfo_t& facts, const void* context,
                  const RunningFiber* fiber, bool overflow) {
  CrashArea& area = go_to_the_parent() ? *given_area : own_area;
  area.used.store(0);
  area.magic.store(CrashArea::kMagic);
  report.write_to(area);
  write_signal(report, signal, facts);
  if (overflow)
    report.field("overflow").field(fiber->name).field(fiber->stack_size / 1024).end_line();
  if (fiber != nullptr) {
    report.field("fiber").field(fiber->name).end_line();
    if (fiber->context != nullptr) fiber->context->write_to(report);
  }
  write_thread(report, context);
  write_other_threads(report);
}

bool goes_first(const struct sigaction& other) {
  return (other.sa_flags & SA_SIGINFO) != 0 ||
         (other.sa_handler != SIG_DFL && other.sa_handler != SIG_IGN);
}

void on_signal(int signal, siginfo_t* facts, void* context) {
  const int saved = errno;
  RunningFiber fiber;
  const auto running = running_fiber.load();
  const bool in_fiber = running != nullptr && running(fiber);
  const char* const at = static_cast<const char*>(facts->si_addr);
  const bool overflow = in_fiber && signal == SIGSEGV && facts->si_code > 0 &&
                        at >= fiber.guard.low && at < fiber.guard.high;
  std::size_t number = 0;
  while (kSignals[number] != signal) ++number;
  const struct sigaction& other = before[number];
  if (!overflow && goes_first(other)) {
    errno = saved;
    (other.sa_flags & SA_SIGINFO) != 0 ? other.sa_sigaction(signal, facts, context)
                                       : other.sa_handler(signal);
    return;
  }
  if (const auto asked = aborts_wait.load(); signal == SIGABRT && asked != nullptr && asked()) {
    for (;;) ::pause();
  }
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  pid_t nobody = 0;
  if (reporter.compare_exchange_strong(nobody, self)) {
    write_report(signal, *facts, context, in_fiber ? &fiber : nullptr, overflow);
  } else if (nobody != self) {
    for (;;) ::pause();  // the process ends by the first
  }
  // Also if the report has failed in the middle, which comes back here: it tells what it can.
  if (!handed_over.exchange(true)) hand_over();
  end_by(signal);
}

}  // namespace

void report_crashes() {
  static thread_local SignalStack stack;
  static_cast<void>(stack);
  static std::once_flag once;
  std::call_once(once, [] {
    note_path_of_program();
    const std::string found = symbolizer_program();
    if (found.size() < sizeof program) found.copy(program, found.size());
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      struct sigaction ours {};
      ours.sa_sigaction = on_signal;
      ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
      sigemptyset(&ours.sa_mask);
      ::sigaction(kSignals[i], &ours, &before[i]);
    }
  });
}

void report_crashes_of_fibers(bool (*running)(RunningFiber&)) {
  running_fiber = running;
  report_crashes();
}

void let_aborts_wait_while(bool (*asked)()) { aborts_wait = asked; }

void report_all_threads() { arguments[2] = "--all-threads"; }

void leave_crash_report_in(const Descriptor& file) {
  if (file.get() < 0 || ::ftruncate(file.get(), 0) != 0 ||
      ::ftruncate(file.get(), sizeof(CrashArea)) != 0) {
    return;
  }
  void* const memory =
      ::mmap(nullptr, sizeof(CrashArea), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return;
  given_area = static_cast<CrashArea*>(memory);
  owner_of_given_area = ::getpid();
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

}  // namespace freshet::core
