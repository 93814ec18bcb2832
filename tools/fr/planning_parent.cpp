// The side of `fr info` that starts the child and listens to it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "freshet/error.h"
#include "plan_channel.h"
#include "planning.h"

namespace freshet::tool {
namespace {

constexpr int kChannel = 3;  // the descriptor in the child

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::string& what, int error) {
  throw InvalidInput(what + ": " + std::strerror(error));
}

void send_request(const PlanRequest& request, int socket) {
  PlanSender sender(socket);
  sender.send(kApplication, request.application);
  sender.send(kConfigurationFile, request.configuration_file);
  for (const FlagSetting& flag : request.flags) {
    sender.send(kFlagKey, flag.key);
    sender.send(kFlagText, flag.text);
    sender.send(kFlagName, flag.flag);
  }
  for (const std::string& file : request.shipped) sender.send(kShipped, file);
  for (const std::string& argument : request.arguments) sender.send(kArgument, argument);
  sender.send(kRequestEnd, "");
}

pid_t start(const std::vector<std::string>& arguments, int socket) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, socket, kChannel);
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) refuse("can't start a process for the application's main", error);
  return child;
}

// A child that is ended and waited for, whatever happens.
class Child {
 public:
  explicit Child(pid_t id) : id_(id), ended_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))) {
    if (ended_.number() < 0) {
      const int error = errno;
      reap(SIGKILL);
      refuse("can't watch the process of the application's main", error);
    }
  }
  ~Child() {
    if (id_ > 0) reap(SIGKILL);
  }
  int ended() const { return ended_.number(); }
  // Waits for the end; sends a signal before if it is not 0.
  int reap(int signal) {
    if (signal != 0) ::kill(id_, signal);
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return status;
  }

 private:
  pid_t id_;
  Descriptor ended_;
};

std::string text_of(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  const char* name = ::sigabbrev_np(WTERMSIG(status));
  return std::string("signal SIG") + (name != nullptr ? name : std::to_string(WTERMSIG(status)));
}

// Reads until a frame tells how main ended, or the child has ended and its last bytes are read:
// what main forked may hold the socket open for longer.
void listen(int socket, Child& child, Plans& plans) {
  PlanFrames frames;
  bool open = true;
  for (bool ended = false; !ended;) {
    pollfd watched[] = {{open ? socket : -1, POLLIN, 0}, {child.ended(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) {
      if (errno == EINTR) continue;
      refuse("can't listen to the process of the application's main", errno);
    }
    ended = watched[1].revents != 0;
    char bytes[65536];
    while (open) {
      const ssize_t n = ::read(socket, bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) {
        open = false;
        break;
      }
      frames.append(bytes, static_cast<std::size_t>(n));
      while (auto frame = frames.next()) {
        if (frame->kind == kPlan) {
          plans.jobs.push_back(JobGraph::from_bytes(frame->content));
          continue;
        }
        plans.end = static_cast<Plans::End>(frame->kind);
        plans.text = frame->content;
        return;
      }
    }
  }
  plans.end = Plans::End::kDied;
  plans.text = text_of(child.reap(0));
}

}  // namespace

Plans plan_in_child(const PlanRequest& request) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    refuse("can't make a socket", errno);
  }
  const Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  // It may have got the very number that it shall have in the child; then dup2 would leave it to be
  // closed by exec.
  if (theirs.number() == kChannel && ::fcntl(theirs.number(), F_SETFD, 0) != 0) {
    refuse("can't pass a socket on", errno);
  }
  Child child(start(
      {"fr", "info", "--plan-to", std::to_string(kChannel) + ":" + std::to_string(::getpid())},
      theirs.number()));
  theirs.close();
  send_request(request, ours.number());
  if (::fcntl(ours.number(), F_SETFL, O_NONBLOCK) != 0) refuse("can't set up a socket", errno);

  Plans plans;
  listen(ours.number(), child, plans);
  return plans;
}

}  // namespace freshet::tool
