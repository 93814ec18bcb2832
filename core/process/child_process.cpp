#include "process/child_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>

#include "freshet/error.h"
#include "posix/system_reason.h"
#include "process/orphans.h"
#include "process/started_process.h"
#include "process/template_process.h"

namespace freshet::core {
namespace {

std::string mark_of(std::uint64_t number) {
  return std::to_string(::getpid()) + "-" + std::to_string(number);
}

[[noreturn]] void fail(const std::string& what, int error) {
  throw_failure(error, what + ": " + reason_with_mend(error, "check the limits of this user"));
}

Descriptor file_with(const std::string& inherited) {
  Descriptor file = memory_file(inherited);
  if (file.get() < 0) fail("no file can be made for what it inherits", errno);
  return file;
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("no pipe can be made for its output", errno);
    reading = Descriptor(ends[0]);
    writing = Descriptor(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }

  Descriptor reading, writing;
};

// Our ends of what it writes, and its own, until it is there.
struct Pipes {
  explicit Pipes(bool separate_errors) {
    if (separate_errors) errors.emplace();
  }
  int its_errors() const { return errors ? errors->writing.get() : output.writing.get(); }
  std::array<Descriptor, ChildProcess::kStreams.size()> ours() {
    return {std::move(output.reading), errors ? std::move(errors->reading) : Descriptor(),
            std::move(account.reading)};
  }

  Pipe output, account;
  std::optional<Pipe> errors;
};

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> command,
                           std::map<std::string, std::string> environment,
                           std::optional<Start> start, const ControlGroups& groups,
                           std::uint64_t number)
    : mark_(mark_of(number)), group_(groups.make(number)) {
  try {
    Pipes pipes(start && start->separate_errors);
    Descriptor its;
    ProgramStart program{std::move(command),
                         std::move(environment),
                         {},
                         pipes.output.writing.get(),
                         pipes.its_errors()};
    program.environment[kProcessMark] = mark_;
    program.control_group = group_;
    if (start) {
      report_ = file_with(start->inherited);
      program.inherited_file = report_.get();
      program.account = pipes.account.writing.get();
    } else {
      const TemplateChannel channel = template_channel();
      channel_ = Descriptor(channel.ours);
      its = Descriptor(channel.its);
      program.template_channel = its.get();
    }
    id_ = start_child(program);
    streams_ = pipes.ours();
    watch_it();
  } catch (...) {
    ControlGroups::remove(group_);
    throw;
  }
}

ChildProcess::ChildProcess(const ChildProcess& from, const Start& start,
                           const ControlGroups& groups, std::uint64_t number)
    : mark_(mark_of(number)), group_(groups.make(number)) {
  try {
    Pipes pipes(start.separate_errors);
    report_ = file_with(start.inherited);
    id_ = fork_from_template(from.channel_.get(),
                             {report_.get(), pipes.output.writing.get(), pipes.its_errors(),
                              pipes.account.writing.get(), group_});
    streams_ = pipes.ours();
    watch_it();
  } catch (...) {
    // A template that did not answer may have forked, or do so still.
    from.kill();
    if (!group_.empty()) ControlGroups::kill(group_);
    ControlGroups::remove(group_);
    throw;
  }
}

void ChildProcess::watch_it() {
  watch_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, id_, 0)));
  if (watch_.get() >= 0) return;
  const int error = errno;
  kill();
  reap();
  fail("it can't be watched", error);
}

ChildProcess::~ChildProcess() {
  if (!reaped_) {
    kill();
    reap();
  }
  ControlGroups::remove(group_);
}

bool ChildProcess::is_ready() {
  ready_ = ready_ || hears_ready(channel_.get());
  return ready_ && !has_ended();
}

bool ChildProcess::has_ended() const {
  pollfd end{watch_.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) == 1;
}

void ChildProcess::kill_family() const {
  if (!group_.empty()) ControlGroups::kill(group_);
  ::kill(-id_, SIGKILL);
}

void ChildProcess::kill() const {
  kill_family();
  ::kill(id_, SIGKILL);
}

ChildProcess::End ChildProcess::end() const {
  siginfo_t facts{};
  while (::waitid(P_PID, static_cast<id_t>(id_), &facts, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  return {facts.si_code != CLD_EXITED, facts.si_status};
}

void ChildProcess::end_orphans(const std::set<pid_t>& own) const {
  if (group_.empty()) end_orphans_of(id_, mark_, own);  // a group has all of them
}

void ChildProcess::reap() {
  core::reap(id_);
  reaped_ = true;
}

bool ChildProcess::has_left(std::int64_t now_ns) {
  constexpr std::int64_t kPatienceNs = 1'000'000'000;
  if (!leaving_since_ns_) leaving_since_ns_ = now_ns;
  if (!ControlGroups::remove_if_empty(group_) && now_ns - *leaving_since_ns_ < kPatienceNs)
    return false;
  group_.clear();
  return true;
}

}  // namespace freshet::core
