#include "process/crash_reader.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include <cstring>
#include <system_error>

#include "crash/crash_report.h"
#include "crash/symbolizer.h"
#include "freshet/error.h"
#include "process/orphans.h"
#include "process/started_process.h"

namespace freshet::core {
namespace {

constexpr int kPatienceMs = 12'000;  // the program has a limit of its own
constexpr std::size_t kMostOfStack = std::size_t{4} * 1024;
constexpr std::size_t kMostOfThreads = std::size_t{16} * 1024;

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  text.resize(text.rfind('\n', most));
  return text + "\n  ...";
}

ProcessCrash crash_of(CrashReport& report, const std::string& stacks) {
  ProcessCrash crash;
  const std::size_t first = stacks.find('\n');
  const std::size_t second = stacks.find('\f');
  if (first != std::string::npos && second != std::string::npos && first < second) {
    const std::size_t stage =
        first == 0 ? report.operators.size() : static_cast<std::size_t>(std::atoi(stacks.c_str()));
    if (stage < report.operators.size()) report.operators = {report.operators[stage]};
    crash.stack = cut(stacks.substr(first + 1, second - first - 1), kMostOfStack);
    crash.threads = "\nThe stacks of all threads:" + cut(stacks.substr(second + 1), kMostOfThreads);
  } else {
    crash.stack = cut(report.plain_stack(), kMostOfStack);
  }
  crash.operator_name = report.operator_name();
  crash.subtask = report.subtask;
  if (report.records == 1) crash.record = report.first_record;
  crash.circumstances = report.circumstances();
  return crash;
}

}  // namespace

CrashReader::CrashReader() : stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_.get() < 0)
    throw InvalidInput(std::string("no thread that reads crashes can be made: ") +
                       std::strerror(errno) + ": allow this process more descriptors (ulimit -n)");
}

CrashReader::~CrashReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one) == sizeof one);
  added_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CrashReader::read(std::string raw, Then then) {
  Waiting next{std::move(raw), std::move(then)};
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      lock.unlock();
      spdlog::warn("a crash is told without names, because no thread can read it: {}",
                   error.what());
      tell(next, false);
      return;
    }
  }
  waiting_.push_back(std::move(next));
  lock.unlock();
  added_.notify_all();
}

void CrashReader::tell(Waiting& next, bool with_names) {
  std::optional<ProcessCrash> crash;
  if (auto report = CrashReport::parse(next.raw))
    crash = crash_of(*report, with_names ? stacks_of(next.raw) : std::string());
  next.then(std::move(crash));
}

void CrashReader::run() {
  ::pthread_setname_np(::pthread_self(), "crash-reader");
  std::unique_lock lock(mutex_);
  for (;;) {
    added_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    const bool with_names = !stopping_;
    lock.unlock();
    tell(next, with_names);
    lock.lock();
  }
}

std::string CrashReader::stacks_of(const std::string& raw) {
  const std::string program = symbolizer_program();
  int ends[2];
  if (program.empty() || ::pipe2(ends, O_CLOEXEC) != 0) return {};
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  pid_t child = 0;
  try {
    ProgramStart start;
    start.command = {program, "--stacks"};
    start.inherited = raw;
    start.output = writing.get();
    child = start_child(start);
  } catch (const std::exception&) {
    return {};
  }
  writing.close();
  std::string said;
  const Descriptor watch(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  for (;;) {
    pollfd polled[] = {{reading.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    const int ready = ::poll(polled, 2, kPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || polled[1].revents != 0) break;
    char block[4096];
    const ssize_t got = ::read(reading.get(), block, sizeof block);
    if (got <= 0) break;
    said.append(block, static_cast<std::size_t>(got));
  }
  // Whoever reaps all children of this process may have reaped it: then its number is not its own.
  if (watch.get() >= 0) ::syscall(SYS_pidfd_send_signal, watch.get(), SIGKILL, nullptr, 0);
  reap(child);
  return said;
}

}  // namespace freshet::core
