#include "process/started_process.h"

#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "freshet/error.h"
#include "posix/descriptor.h"
#include "posix/file_io.h"
#include "posix/system_reason.h"

namespace freshet::core {
namespace {

constexpr int kInherited = 3;
constexpr int kReport = 5;      // closes by itself once the program runs
constexpr int kFirstFree = 16;  // above all that the child gets

[[noreturn]] void refuse(const std::vector<std::string>& command, const std::string& why,
                         int error) {
  throw_failure(error, "'" + (command.empty() ? std::string() : command[0]) +
                           "' can't be started: " + why + ": " +
                           reason_with_mend(error, "check its file and the limits of this user"));
}

// A copy above the numbers that the child's own descriptors get. Of none: none, errno as it was.
int out_of_the_way(int descriptor) {
  if (descriptor < 0) return -1;
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstFree);
  if (copy < 0 && errno == EINVAL) errno = EMFILE;  // the limit is below that
  return copy;
}

// Everything that the child needs, made before it exists: between its birth and exec it calls
// nothing but the kernel.
class Prepared {
 public:
  explicit Prepared(const ProgramStart& start)
      : nothing_(out_of_the_way(Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC)).get())),
        output_(start.output >= 0 ? out_of_the_way(start.output) : -1),
        errors_(start.errors >= 0 ? out_of_the_way(start.errors) : -1),
        account_(start.account >= 0 ? out_of_the_way(start.account)
                 // Taken, so that none of what a template is handed comes to lie there.
                 : start.template_channel >= 0 ? out_of_the_way(nothing_.get())
                                               : -1),
        inherited_(start.template_channel >= 0 ? out_of_the_way(start.template_channel)
                   : start.inherited_file >= 0
                       ? out_of_the_way(start.inherited_file)
                       : out_of_the_way(memory_file(start.inherited).get())) {
    if (nothing_.get() < 0 || inherited_.get() < 0 || (start.output >= 0 && output_.get() < 0) ||
        (start.errors >= 0 && errors_.get() < 0) || (start.account >= 0 && account_.get() < 0))
      refuse(start.command, "its descriptors can't be made", errno);
    if (start.command.empty() || start.command[0].empty() || start.command[0][0] != '/')
      throw InvalidInput("a process can't be started: its program must be an absolute path");
    for (const std::string& word : start.command) argv_.push_back(const_cast<char*>(word.c_str()));
    argv_.push_back(nullptr);
    for (char** each = ::environ; *each != nullptr; ++each) {
      const std::string_view entry(*each);
      if (start.environment.count(std::string(entry.substr(0, entry.find('=')))) == 0)
        envp_.push_back(*each);
    }
    added_.reserve(start.environment.size());
    for (const auto& [name, value] : start.environment) {
      added_.push_back(name + "=" + value);
      envp_.push_back(added_.back().data());
    }
    envp_.push_back(nullptr);
    sigemptyset(&no_signals_);
  }

  // In the child, whose report stands at kReport. Returns the errno if it fails.
  int run() const {
    const int out = output_.get() >= 0 ? output_.get() : nothing_.get();
    const int errors = errors_.get() >= 0 ? errors_.get() : out;
    if (::dup2(nothing_.get(), STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 ||
        ::dup2(errors, STDERR_FILENO) < 0 || ::dup2(inherited_.get(), kInherited) < 0)
      return errno;
    if (account_.get() < 0) {
      ::close(kOwnAccount);
    } else if (::dup2(account_.get(), kOwnAccount) < 0) {
      return errno;
    }
    ::close_range(kReport + 1, ~0U, 0);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGXFSZ})
      ::signal(number, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &no_signals_, nullptr);
    ::execve(argv_[0], argv_.data(), envp_.data());
    return errno;
  }

 private:
  const Descriptor nothing_, output_, errors_, account_, inherited_;
  std::vector<char*> argv_, envp_;
  std::vector<std::string> added_;
  sigset_t no_signals_;
};

struct Report {
  int error = 0;
  pid_t process = 0;
};

void tell(int report, Report what) {
  static_cast<void>(::write(report, &what, sizeof what) == sizeof what);
}

[[noreturn]] void fail(int report, int error) {
  tell(report, {error, 0});
  ::_exit(127);
}

// The first that comes; nothing if the writers have gone.
bool hear(int report, Report& what) {
  ssize_t got = 0;
  while ((got = ::read(report, &what, sizeof what)) < 0 && errno == EINTR) {
  }
  return got == sizeof what;
}

void reap(pid_t process) {
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// No signal reaches the child before its handlers, which it shares for a moment, are its own.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// In a group from its first moment: to be moved there later waits for a grace period of the kernel,
// 4 to 30 ms.
pid_t fork_into(int group) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<std::uint64_t>(group);
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

__attribute__((noinline)) pid_t born(const Prepared& prepared, int report, pid_t parent,
                                     int group) {
  const pid_t child = group >= 0 ? fork_into(group) : ::vfork();
  if (child != 0) return child;
  ::setsid();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(report, errno);
  if (::getppid() != parent) ::_exit(127);  // it ended before that was armed
  if (::dup3(report, kReport, O_CLOEXEC) < 0) fail(report, errno);
  fail(kReport, prepared.run());
}

}  // namespace

pid_t start_child(const ProgramStart& start) {
  const Prepared prepared(start);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) refuse(start.command, "no pipe can be made", errno);
  const Descriptor reading(ends[0]);
  Descriptor raw(ends[1]), writing(out_of_the_way(ends[1]));
  raw.close();
  const Descriptor group(
      start.control_group.empty() ? -1 : ::open(start.control_group.c_str(), O_PATH | O_CLOEXEC));
  pid_t child = -1;
  int error = 0;
  {
    const SignalsHeld held;
    child = born(prepared, writing.get(), ::getpid(), group.get());
    error = errno;
  }
  if (child < 0) refuse(start.command, "no process can be made", error);
  writing.close();
  Report failure;
  if (hear(reading.get(), failure)) {
    reap(child);
    refuse(start.command, "exec failed", failure.error);
  }
  return child;
}

pid_t start_detached_process(const ProgramStart& start) {
  const Prepared prepared(start);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) refuse(start.command, "no pipe can be made", errno);
  const Descriptor reading(ends[0]);
  Descriptor raw(ends[1]), writing(out_of_the_way(ends[1]));
  raw.close();
  pid_t middle = -1;
  int error = 0;
  {
    const SignalsHeld held;
    middle = ::fork();
    error = errno;
    if (middle == 0) {
      ::setsid();
      const pid_t process = ::fork();
      if (process == 0) {
        ::setsid();
        if (::dup3(writing.get(), kReport, O_CLOEXEC) < 0) fail(writing.get(), errno);
        fail(kReport, prepared.run());
      }
      tell(writing.get(), {process < 0 ? errno : 0, process});
      ::_exit(0);
    }
  }
  if (middle < 0) refuse(start.command, "no process can be made", error);
  writing.close();
  reap(middle);
  // One of the two failures, in any order, or the id alone.
  pid_t process = 0;
  for (Report report; hear(reading.get(), report);) {
    if (report.error != 0) refuse(start.command, "exec failed", report.error);
    process = report.process;
  }
  return process;
}

bool has_ended(pid_t process) {
  const Descriptor watch(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd end{watch.get(), POLLIN, 0};
  return watch.get() < 0 || ::poll(&end, 1, 0) == 1;
}

std::string take_inherited(Descriptor* file) {
  std::string all;
  struct stat facts {};
  if (::fstat(kInherited, &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISFIFO(facts.st_mode)))
    return all;
  std::string block(kFileBlock, '\0');
  for (ssize_t got = 0; (got = read_some(kInherited, block.data(), block.size())) > 0;)
    all.append(block, 0, static_cast<std::size_t>(got));
  if (file != nullptr) *file = Descriptor(out_of_the_way(kInherited));
  ::close(kInherited);
  return all;
}

}  // namespace freshet::core
