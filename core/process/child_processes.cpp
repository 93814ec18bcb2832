#include "process/child_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "freshet/error.h"
#include "process/control_group.h"
#include "process/started_process.h"

namespace freshet {
namespace {

constexpr const char* kMark = "PROCESS_OF_FRESHET";  // in the environment of a child and its own
constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr int kBlocksAtOnce = 16;  // of one child, before others have their turn

int watch(pid_t process) { return static_cast<int>(::syscall(SYS_pidfd_open, process, 0)); }

// SIGCHLD wakes the thread, so that adopted processes are reaped, too.
std::atomic<int> wake_on_child{-1};
void on_child(int) {
  const int error = errno;
  const std::uint64_t one = 1;
  if (const int wake = wake_on_child.load(); wake >= 0) {
    static_cast<void>(::write(wake, &one, sizeof one) == sizeof one);
  }
  errno = error;
}

struct Family {
  pid_t parent = 0;
  pid_t session = 0;
};

// Of /proc/<id>/stat, whose second field is a name in brackets. Reading fails if the process ends
// meanwhile, which an istreambuf_iterator would throw.
Family family_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  Family family;
  const std::size_t name_end = text.rfind(')');
  char state = 0;
  int group = 0;
  if (name_end == std::string::npos ||
      std::sscanf(text.c_str() + name_end + 1, " %c %d %d %d", &state, &family.parent, &group,
                  &family.session) != 4) {
    return {};
  }
  return family;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return children;
  while (const dirent* const entry = ::readdir(folder)) {
    const pid_t process = std::atoi(entry->d_name);
    if (process > 0 && family_of(process).parent == parent) children.push_back(process);
  }
  ::closedir(folder);
  return children;
}

std::string mark_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ", std::ios::binary);
  const std::string wanted = std::string(kMark) + "=";
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry.rfind(wanted, 0) == 0) return entry.substr(wanted.size());
  }
  return {};
}

void reap(pid_t process) {
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

class ChildProcesses::State {
 public:
  State(ControlThread& control, ChildProcessesOptions options)
      : control_(control), options_(std::move(options)) {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0)
      throw InvalidInput(std::string("children can't be watched: ") + std::strerror(errno) +
                         ": allow this process more descriptors (ulimit -n)");
    if (options_.adopt_orphans) {
      ::prctl(PR_SET_CHILD_SUBREAPER, 1);
      wake_on_child = wake_;
      struct sigaction action {};
      action.sa_handler = on_child;
      action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
      ::sigaction(SIGCHLD, &action, nullptr);
    }
    thread_ = std::thread([this] { run(); });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake();
    thread_.join();
    if (options_.adopt_orphans) {
      ::signal(SIGCHLD, SIG_DFL);
      wake_on_child = -1;
    }
    ::close(wake_);
  }

  ProcessHandle spawn(ProcessSpec spec, detail::UniqueFunction<void(ProcessEnd)> on_end) {
    std::unique_lock lock(mutex_);
    const ProcessHandle handle = ++last_handle_;
    auto child = std::make_unique<Child>();
    child->handle = handle;
    child->spec = std::move(spec);
    child->on_end = std::move(on_end);
    child->log = log_named(child->spec.name);
    to_start_.push_back(std::move(child));
    wake();
    // The thread's death signal is the child's: no other may start it. exec takes a millisecond.
    started_.wait(lock, [&] { return last_started_ >= handle; });
    return handle;
  }

  std::int64_t process_id(ProcessHandle handle) const {
    const std::lock_guard lock(mutex_);
    const auto at = children_.find(handle);
    return at == children_.end() ? 0 : at->second->id;
  }

  void signal(ProcessHandle handle, int number) {
    const std::lock_guard lock(mutex_);
    const auto at = children_.find(handle);
    if (at == children_.end() || at->second->id == 0) return;
    // It is not reaped while it is listed, so the id is still its own.
    if (number == SIGKILL) kill_family(*at->second);
    ::kill(at->second->id, number);
  }

  LogChunk read_log(const std::string& name, std::uint64_t from) const {
    std::shared_ptr<RolledLog> log;
    bool runs = false;
    {
      const std::lock_guard lock(mutex_);
      const auto at = logs_.find(name);
      if (at == logs_.end())
        throw InvalidInput("no log of a process '" + name +
                           "' is kept here: it never ran, or others have ended since");
      log = at->second;
      runs = !std::count(ended_logs_.begin(), ended_logs_.end(), name);
    }
    LogText found = log->read(from, std::size_t{256} * 1024);
    return {found.text, found.next, !runs && found.text.empty()};
  }

  void add_log(std::shared_ptr<RolledLog> log) {
    const std::lock_guard lock(mutex_);
    logs_[log->name()] = std::move(log);
  }

 private:
  struct Child {
    ProcessHandle handle = 0;
    ProcessSpec spec;
    detail::UniqueFunction<void(ProcessEnd)> on_end;
    std::shared_ptr<RolledLog> log;
    pid_t id = 0;
    int watch = -1;   // readable once it has ended
    int output = -1;  // what it prints; -1 once nobody can print any more
    std::filesystem::path group;
  };

  // All that it forked, as far as that can be told; itself where there are no control groups.
  static void kill_family(const Child& child) {
    if (!child.group.empty()) ControlGroups::kill(child.group);
    ::kill(-child.id, SIGKILL);
  }

  void wake() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_, &one, sizeof one) == sizeof one);
  }

  // With mutex_.
  std::shared_ptr<RolledLog> log_named(const std::string& name) {
    ended_logs_.erase(std::remove(ended_logs_.begin(), ended_logs_.end(), name), ended_logs_.end());
    auto& log = logs_[name];
    if (!log) log = std::make_shared<RolledLog>(options_.log_folder, name, options_.log_bytes);
    return log;
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "children");
    std::vector<pollfd> polled;
    std::vector<Child*> order;
    while (true) {
      start_what_waits();
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) break;
        polled.assign(1, {wake_, POLLIN, 0});
        order.clear();
        for (auto& [handle, child] : children_) {
          order.push_back(child.get());
          polled.push_back({child->watch, POLLIN, 0});
          polled.push_back({child->output, POLLIN, 0});
        }
      }
      if (::poll(polled.data(), polled.size(), -1) < 0) continue;
      if (polled[0].revents != 0) {
        std::uint64_t count = 0;
        static_cast<void>(::read(wake_, &count, sizeof count) == sizeof count);
      }
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (polled[1 + 2 * i + 1].revents != 0) read_output(*order[i], kBlocksAtOnce);
      }
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (polled[1 + 2 * i].revents != 0) end(*order[i]);
      }
      if (options_.adopt_orphans) reap_adopted();
    }
    end_all();
  }

  void start_what_waits() {
    while (true) {
      std::unique_ptr<Child> child;
      {
        const std::lock_guard lock(mutex_);
        if (to_start_.empty()) return;
        child = std::move(to_start_.front());
        to_start_.pop_front();
      }
      std::string failure = start(*child);
      const ProcessHandle handle = child->handle;
      if (!failure.empty()) {
        child->log->append(failure + "\n");
        tell(*child, {std::nullopt, std::nullopt, failure});
      }
      const std::lock_guard lock(mutex_);
      if (failure.empty()) {
        children_[handle] = std::move(child);
      } else {
        log_ended(child->spec.name);
      }
      last_started_ = handle;
      started_.notify_all();
    }
  }

  // What went wrong; empty if nothing.
  std::string start(Child& child) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return "no pipe can be made for its output: " + std::string(std::strerror(errno));
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ProgramStart start{child.spec.command, child.spec.environment, std::move(child.spec.inherited),
                       ends[1]};
    start.environment[kMark] = mark(child);
    child.group = groups_.make(child.handle);
    start.control_group = child.group;
    try {
      child.id = start_child(start);
    } catch (const std::exception& error) {
      ControlGroups::remove(child.group);
      ::close(ends[0]);
      ::close(ends[1]);
      return error.what();
    }
    ::close(ends[1]);
    child.output = ends[0];
    child.watch = watch(child.id);
    if (child.watch < 0) {
      const int error = errno;
      kill_family(child);
      ::kill(child.id, SIGKILL);
      reap(child.id);
      ControlGroups::remove(child.group);
      ::close(child.output);
      return "it can't be watched: " + std::string(std::strerror(error));
    }
    return {};
  }

  static std::string mark(const Child& child) {
    return std::to_string(::getpid()) + "-" + std::to_string(child.handle);
  }

  void read_output(Child& child, int blocks) {
    std::string block(kBlock, '\0');
    while (child.output >= 0 && blocks-- > 0) {
      const ssize_t got = ::read(child.output, block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        ::close(child.output);
        child.output = -1;
        return;
      }
      child.log->append({block.data(), static_cast<std::size_t>(got)});
    }
  }

  void end(Child& child) {
    siginfo_t facts{};
    if (::waitid(P_PID, static_cast<id_t>(child.id), &facts, WEXITED | WNOWAIT | WNOHANG) != 0 ||
        facts.si_pid == 0) {
      return;
    }
    kill_family(child);  // it is a zombie still, so the number is its own
    if (options_.adopt_orphans) end_adopted(child);
    // All writers have gone, or were never ours to end: what is in the pipe is what there is.
    read_output(child, 1 << 20);
    ProcessEnd end;
    if (facts.si_code == CLD_EXITED) {
      end.exit_code = facts.si_status;
    } else {
      end.signal = facts.si_status;
    }
    end.last_lines = child.log->last_lines();
    child.log->close();
    if (child.output >= 0) ::close(child.output);
    ::close(child.watch);
    std::unique_ptr<Child> gone;
    {
      const std::lock_guard lock(mutex_);
      reap(child.id);
      gone = std::move(children_[child.handle]);
      children_.erase(child.handle);
      log_ended(gone->spec.name);
    }
    ControlGroups::remove(gone->group);
    tell(*gone, std::move(end));
  }

  void tell(Child& child, ProcessEnd end) {
    control_.post("end of " + child.spec.name,
                  [on_end = std::move(child.on_end), end = std::move(end)]() mutable {
                    on_end(std::move(end));
                  });
  }

  // With mutex_. Only so many are kept.
  void log_ended(const std::string& name) {
    for (const auto& [handle, child] : children_) {
      if (child->spec.name == name) return;
    }
    ended_logs_.push_back(name);
    while (ended_logs_.size() > options_.ended_logs) {
      const auto at = logs_.find(ended_logs_.front());
      ended_logs_.pop_front();
      if (at == logs_.end()) continue;
      at->second->remove();
      logs_.erase(at);
    }
  }

  std::set<pid_t> own_children() const {
    const std::lock_guard lock(mutex_);
    std::set<pid_t> ids;
    for (const auto& [handle, child] : children_) ids.insert(child->id);
    return ids;
  }

  // Those that `child` has forked, in its session or with its mark, and whose parents have ended.
  // Each round may bring their own children.
  void end_adopted(const Child& child) {
    const std::set<pid_t> own = own_children();
    const std::string wanted = mark(child);
    for (int round = 0; round < 1000; ++round) {
      bool found = false;
      for (const pid_t process : children_of(::getpid())) {
        if (own.count(process) != 0) continue;
        if (family_of(process).session != child.id && mark_of(process) != wanted) continue;
        ::kill(process, SIGKILL);
        reap(process);
        found = true;
      }
      if (!found) return;
    }
  }

  // Zombies of others that came to this process.
  void reap_adopted() {
    const std::set<pid_t> own = own_children();
    while (true) {
      siginfo_t facts{};
      if (::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_pid == 0) return;
      if (own.count(facts.si_pid) != 0) return;  // its watch tells of it next
      reap(facts.si_pid);
    }
  }

  void end_all() {
    std::vector<Child*> left;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [handle, child] : children_) {
        kill_family(*child);
        ::kill(child->id, SIGKILL);
        left.push_back(child.get());
      }
    }
    for (Child* const child : left) {
      siginfo_t facts{};
      while (::waitid(P_PID, static_cast<id_t>(child->id), &facts, WEXITED | WNOWAIT) != 0 &&
             errno == EINTR) {
      }
      child->on_end = [](ProcessEnd) {};
      end(*child);
    }
    const std::lock_guard lock(mutex_);
    if (!to_start_.empty()) last_started_ = to_start_.back()->handle;
    started_.notify_all();
  }

  ControlThread& control_;
  const ChildProcessesOptions options_;
  const ControlGroups groups_;
  int wake_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable started_;
  bool stopping_ = false;
  ProcessHandle last_handle_ = 0;
  ProcessHandle last_started_ = 0;
  std::deque<std::unique_ptr<Child>> to_start_;
  std::map<ProcessHandle, std::unique_ptr<Child>> children_;  // taken out by the thread alone
  std::map<std::string, std::shared_ptr<RolledLog>> logs_;
  std::deque<std::string> ended_logs_;
  std::thread thread_;
};

ChildProcesses::ChildProcesses(ControlThread& thread, ChildProcessesOptions options)
    : state_(std::make_unique<State>(thread, std::move(options))) {}

ChildProcesses::~ChildProcesses() = default;

ProcessHandle ChildProcesses::spawn(ProcessSpec spec,
                                    detail::UniqueFunction<void(ProcessEnd)> on_end) {
  return state_->spawn(std::move(spec), std::move(on_end));
}

std::int64_t ChildProcesses::process_id(ProcessHandle process) const {
  return state_->process_id(process);
}

void ChildProcesses::ask_to_end(ProcessHandle process) { state_->signal(process, SIGTERM); }
void ChildProcesses::kill(ProcessHandle process) { state_->signal(process, SIGKILL); }

LogChunk ChildProcesses::read_log(const std::string& name, std::uint64_t from) const {
  return state_->read_log(name, from);
}

void ChildProcesses::add_log(std::shared_ptr<RolledLog> log) { state_->add_log(std::move(log)); }

}  // namespace freshet
