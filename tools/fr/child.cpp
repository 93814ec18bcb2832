#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "freshet/error.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr int kChannel = 3;  // the descriptor in the child

[[noreturn]] void refuse(const std::string& what, int error) {
  throw InvalidInput(what + ": " + std::strerror(error));
}

pid_t start(const std::vector<std::string>& arguments, Child::Streams streams, int socket,
            bool own_group) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, streams.errors, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, socket, kChannel);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;  // a caller may have signals blocked, to read them
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSIGMASK | (own_group ? POSIX_SPAWN_SETPGROUP : 0)));
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, "/proc/self/exe", &actions, &attributes, argv.data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) refuse("can't start a process of fr's own", error);
  return child;
}

}  // namespace

Child::Child(const Words& words, Streams streams, bool own_group) : own_group_(own_group) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    refuse("can't make a socket", errno);
  }
  Descriptor theirs(ends[1]);
  channel_ = Descriptor(ends[0]);
  // It may have got the very number that it shall have in the child; then dup2 would leave it to be
  // closed by exec.
  if (theirs.get() == kChannel && ::fcntl(theirs.get(), F_SETFD, 0) != 0) {
    refuse("can't pass a socket on", errno);
  }
  std::vector<std::string> arguments{"fr"};
  arguments.insert(arguments.end(), words.command.begin(), words.command.end());
  arguments.push_back(words.flag);
  arguments.push_back(std::to_string(kChannel) + ":" + std::to_string(::getpid()));
  arguments.insert(arguments.end(), words.arguments.begin(), words.arguments.end());
  id_ = start(arguments, streams, theirs.get(), own_group);
  ended_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, id_, 0)));
  if (ended_.get() < 0) {
    const int error = errno;
    reap(SIGKILL);
    refuse("can't watch a process of fr's own", error);
  }
}

Child::~Child() {
  if (id_ > 0) reap(SIGKILL);
}

int Child::reap(int signal) {
  if (signal != 0) ::kill(id_, signal);
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  if (own_group_) ::kill(-id_, SIGKILL);
  id_ = -1;
  return status;
}

int join_parent(const std::string& channel, const std::string& option) {
  int descriptor = -1;
  long parent = -1;
  int read = 0;
  if (std::sscanf(channel.c_str(), "%d:%ld%n", &descriptor, &parent, &read) != 2 ||
      static_cast<std::size_t>(read) != channel.size() ||
      ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    throw InvalidInput("'" + channel + "' after " + option +
                       " is no channel: the option is fr's own");
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it ended before that was set
  return descriptor;
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  const char* name = ::sigabbrev_np(WTERMSIG(status));
  return std::string("signal SIG") + (name != nullptr ? name : std::to_string(WTERMSIG(status)));
}

}  // namespace freshet::tool
