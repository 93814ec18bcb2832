#include "process/template_process.h"

#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

#include "freshet/error.h"
#include "posix/descriptor.h"
#include "posix/system_reason.h"
#include "process/started_process.h"

namespace freshet::core {
namespace {

constexpr int kChannel = 3;
constexpr int kAnswerMs = 250;  // a fork takes 1; who waits for it does nothing else meanwhile
constexpr std::size_t kDescriptors = 5;

struct Request {
  pid_t parent = 0;
};

struct Answer {
  pid_t process = 0;  // 0 if it is just ready
  int error = 0;
};

// A request, which carries what is inherited, the output and the group.
struct RequestMessage {
  RequestMessage() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  RequestMessage(const RequestMessage&) = delete;
  RequestMessage& operator=(const RequestMessage&) = delete;

  Request request;
  iovec part{&request, sizeof request};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kDescriptors)] = {};
  msghdr message{};
};

bool send_request(int channel, const std::array<int, kDescriptors>& descriptors) {
  RequestMessage sent;
  sent.request.parent = ::getpid();
  cmsghdr* const header = CMSG_FIRSTHDR(&sent.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);
  return ::sendmsg(channel, &sent.message, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof sent.request;
}

struct Asked {
  pid_t parent = 0;
  Descriptor inherited, output, errors, account, group;
};

// Into what is or becomes its stream of errors: the last lines of its output are in whatever its
// starter reports of its end.
[[noreturn]] void end_because(int errors, const std::string& why) {
  const std::string line = why + "\n";
  static_cast<void>(::write(errors, line.data(), line.size()) > 0);
  ::_exit(127);
}

// False if the other end has gone.
bool receive_request(Asked& asked) {
  RequestMessage received;
  ssize_t got = 0;
  while ((got = ::recvmsg(kChannel, &received.message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (got != sizeof received.request) return false;
  const cmsghdr* const header = CMSG_FIRSTHDR(&received.message);
  std::array<int, kDescriptors> descriptors;
  // The kernel leaves out those that this process may not have.
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof descriptors)) {
    end_because(STDERR_FILENO, "a template can't take the " + std::to_string(kDescriptors) +
                                   " descriptors of a child: " + reason_with_mend(EMFILE, ""));
  }
  std::memcpy(descriptors.data(), CMSG_DATA(header), sizeof descriptors);
  asked.parent = received.request.parent;
  asked.inherited = Descriptor(descriptors[0]);
  asked.output = Descriptor(descriptors[1]);
  asked.errors = Descriptor(descriptors[2]);
  asked.account = Descriptor(descriptors[3]);
  asked.group = Descriptor(descriptors[4]);
  return true;
}

void answer(Answer word) {
  static_cast<void>(::send(kChannel, &word, sizeof word, MSG_NOSIGNAL) == sizeof word);
}

bool receive_answer(int channel, int wait_ms, Answer& word) {
  pollfd readable{channel, POLLIN, 0};
  int count = 0;
  while ((count = ::poll(&readable, 1, wait_ms)) < 0 && errno == EINTR) {
  }
  return count == 1 && ::recv(channel, &word, sizeof word, MSG_DONTWAIT) == sizeof word;
}

// Of the thread that forks: the kernel forgets in the child where it is, and libc tells it once.
struct RobustMutexes {
  RobustMutexes() { ::syscall(SYS_get_robust_list, 0, &list, &size); }
  void tell() const { ::syscall(SYS_set_robust_list, list, size); }

  void* list = nullptr;
  std::size_t size = 0;
};

// fork(), but a brother of this process, in that group. libc keeps the id of its thread where the
// kernel clears it at the end of the thread; -1 if that place is not told.
pid_t fork_brother(int group) {
  std::uint64_t place = 0;
  if (::prctl(PR_GET_TID_ADDRESS, &place) != 0) return -1;
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_INTO_CGROUP | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  arguments.child_tid = place;
  arguments.cgroup = static_cast<std::uint64_t>(group);
  const RobustMutexes robust;
  const auto process = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (process == 0) robust.tell();
  return process;
}

// In what was forked: as a process that was started is.
void become(const Asked& asked) {
  const std::string what = "a process that a template has forked ends: ";
  ::setsid();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    end_because(asked.errors.get(),
                what + "it can't be made to end with its parent: " + std::strerror(errno));
  }
  if (::getppid() != asked.parent) {
    end_because(asked.errors.get(), what + "its parent is process " + std::to_string(::getppid()) +
                                        " and not " + std::to_string(asked.parent) +
                                        ", which has asked for it: that one has ended");
  }
  const std::pair<int, int> places[] = {{asked.output.get(), STDOUT_FILENO},
                                        {asked.errors.get(), STDERR_FILENO},
                                        {asked.inherited.get(), kChannel},
                                        {asked.account.get(), kOwnAccount}};
  for (const auto& [from, to] : places) {
    if (::dup2(from, to) >= 0) continue;
    end_because(asked.errors.get(), what + "its descriptor " + std::to_string(to) +
                                        " can't be made: " + std::strerror(errno));
  }
}

}  // namespace

TemplateChannel template_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw InvalidInput(std::string("no channel to a process can be made: ") + std::strerror(errno));
  return {ends[0], ends[1]};
}

bool hears_ready(int channel) {
  Answer word;
  return receive_answer(channel, 0, word) && word.process == 0 && word.error == 0;
}

pid_t fork_from_template(int channel, const ForkedStart& start) {
  const Descriptor group(::open(start.control_group.c_str(), O_PATH | O_CLOEXEC));
  if (group.get() < 0 || !send_request(channel, {start.inherited, start.output, start.errors,
                                                 start.account, group.get()}))
    throw InvalidInput(std::string("a template can't be asked: ") + std::strerror(errno));
  Answer word;
  if (!receive_answer(channel, kAnswerMs, word)) throw InvalidInput("a template has not answered");
  if (word.process <= 0)
    throw InvalidInput(std::string("a template can't fork: ") + std::strerror(word.error));
  return word.process;
}

bool is_template() {
  struct stat facts {};
  return ::fstat(kChannel, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

std::string serve_as_template(Descriptor* file) {
  answer({});
  for (Asked asked; receive_request(asked);) {
    const pid_t process = fork_brother(asked.group.get());
    const int error = errno;
    if (process == 0) {
      become(asked);
      return take_inherited(file);
    }
    answer({process, process < 0 ? error : 0});
  }
  ::_exit(0);
}

}  // namespace freshet::core
