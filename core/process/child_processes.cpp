#include "process/child_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "crash/crash_report.h"
#include "freshet/error.h"
#include "posix/system_reason.h"
#include "process/control_group.h"
#include "process/crash_reader.h"
#include "process/memory_limit.h"
#include "process/orphans.h"
#include "process/process_templates.h"

namespace freshet::core {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr int kBlocksAtOnce = 16;  // of one child, before others have their turn
constexpr int kLeavingMs = 5;      // between two looks at what has been killed
constexpr int kTryAgainMs = 20;    // to start a child for which descriptors were short
constexpr int kMostTries = 100;
constexpr int kMemoryMs = 100;  // between two looks at the memory of children

int sooner(int one_ms, int other_ms) {  // -1: never
  if (one_ms < 0 || other_ms < 0) return std::max(one_ms, other_ms);
  return std::min(one_ms, other_ms);
}
constexpr std::size_t kMostOfAccount = std::size_t{128} * 1024;

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
    const std::lock_guard lock(mutex_);
    const ProcessHandle handle = ++last_handle_;
    auto child = std::make_unique<Child>();
    child->handle = handle;
    child->spec = std::move(spec);
    child->on_end = std::move(on_end);
    child->log = log_named(child->spec.name);
    to_start_.push_back(std::move(child));
    wake();
    return handle;
  }

  std::int64_t process_id(ProcessHandle handle) const {
    const std::lock_guard lock(mutex_);
    const auto at = children_.find(handle);
    return at == children_.end() ? 0 : at->second->process->id();
  }

  void signal(ProcessHandle handle, int number) {
    const std::lock_guard lock(mutex_);
    signals_.emplace_back(handle, number);
    wake();
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
    const bool ended = !runs && found.text.empty();
    return {std::move(found.text), found.next, ended, std::move(found.errors)};
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
    std::unique_ptr<ChildProcess> process;
    std::string killed_because;
    std::string account;
    int tries = 0;
  };
  // It has ended, and is told of once nothing of it runs any more.
  struct Leaving {
    std::unique_ptr<Child> child;
    ProcessEnd end;
    std::string crash;  // as the child has written it; may be empty
  };

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
      templates_.tend(now_ns());
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) break;
        polled.assign(1, {wake_, POLLIN, 0});
        order.clear();
        for (auto& [handle, child] : children_) {
          order.push_back(child.get());
          polled.push_back({child->process->watch(), POLLIN, 0});
          for (const auto stream : ChildProcess::kStreams)
            polled.push_back({child->process->stream(stream), POLLIN, 0});
        }
        for (const int watch : templates_.watches()) polled.push_back({watch, POLLIN, 0});
      }
      int wait_ms = templates_.wait_ms(now_ns());
      if (!leaving_.empty()) wait_ms = sooner(wait_ms, kLeavingMs);
      if (waits_to_start()) wait_ms = sooner(wait_ms, kTryAgainMs);
      if (memory_.watches() && !order.empty()) wait_ms = sooner(wait_ms, kMemoryMs);
      if (::poll(polled.data(), polled.size(), wait_ms) < 0) continue;
      if (polled[0].revents != 0) {
        std::uint64_t count = 0;
        static_cast<void>(::read(wake_, &count, sizeof count) == sizeof count);
      }
      constexpr std::size_t kPerChild = 1 + ChildProcess::kStreams.size();
      for (std::size_t i = 0; i < order.size(); ++i) {
        for (const auto stream : ChildProcess::kStreams)
          if (polled[1 + kPerChild * i + 1 + stream].revents != 0)
            read_stream(*order[i], stream, kBlocksAtOnce);
      }
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (polled[1 + kPerChild * i].revents != 0 && order[i]->process->has_ended())
          end(*order[i]);
      }
      if (options_.adopt_orphans) reap_orphans(own_children());
      let_go_of_what_has_left();
      if (memory_.watches()) look_at_memory();
    }
    end_all();
  }

  bool waits_to_start() const {
    const std::lock_guard lock(mutex_);
    return !to_start_.empty();
  }

  // The thread's death signal is the child's: no other thread may start it.
  void start_what_waits() {
    while (true) {
      std::unique_ptr<Child> child;
      {
        const std::lock_guard lock(mutex_);
        if (to_start_.empty()) {
          send_signals();
          return;
        }
        child = std::move(to_start_.front());
        to_start_.pop_front();
      }
      const auto [failure, lacks_descriptors] = start(*child);
      // Peers take them now and then, for a moment.
      if (lacks_descriptors && ++child->tries < kMostTries) {
        const std::lock_guard lock(mutex_);
        to_start_.push_front(std::move(child));
        send_signals();
        return;
      }
      const ProcessHandle handle = child->handle;
      if (!failure.empty()) {
        child->log->append(failure + "\n");
        child->log->close();
        tell(*child, {std::nullopt, std::nullopt, failure});
      }
      const std::lock_guard lock(mutex_);
      if (failure.empty()) {
        children_[handle] = std::move(child);
      } else {
        log_ended(child->spec.name);
      }
    }
  }

  // With mutex_. Those to what waits to be started stay; whoever else is not there has ended.
  void send_signals() {
    for (const auto& [handle, number] : std::exchange(signals_, {})) {
      const auto at = children_.find(handle);
      if (at == children_.end()) {
        if (std::any_of(to_start_.begin(), to_start_.end(),
                        [handle = handle](const auto& each) { return each->handle == handle; }))
          signals_.emplace_back(handle, number);
        continue;
      }
      // It is not reaped while it is listed, so the id is still its own.
      const ChildProcess& process = *at->second->process;
      if (number == SIGKILL) {
        process.kill();
      } else {
        ::kill(process.id(), number);
      }
    }
  }

  struct NotStarted {
    std::string why;  // empty: it has started
    bool lacks_descriptors = false;
  };
  NotStarted start(Child& child) {
    try {
      child.process = templates_.fork(child.spec, now_ns());
      if (!child.process)
        child.process = std::make_unique<ChildProcess>(
            child.spec.whole_command(), child.spec.environment,
            ChildProcess::Start{child.spec.inherited, child.spec.separate_errors}, groups_,
            ++last_number_);
      memory_.limit(child.process->group());
    } catch (const NoDescriptorLeft& error) {
      return {error.what(), true};
    } catch (const std::exception& error) {
      return {error.what()};
    }
    return {};
  }

  void read_stream(Child& child, ChildProcess::Stream stream, int blocks) {
    std::string block(kBlock, '\0');
    while (child.process->stream(stream) >= 0 && blocks-- > 0) {
      const ssize_t got = ::read(child.process->stream(stream), block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        child.process->close(stream);
        return;
      }
      const std::string_view text(block.data(), static_cast<std::size_t>(got));
      if (stream == ChildProcess::kAccount) {
        child.account += text.substr(0, kMostOfAccount - child.account.size());
      } else {
        child.log->append(text, stream == ChildProcess::kErrors);
      }
    }
  }

  // It has ended.
  void end(Child& child) {
    const ChildProcess::End facts = child.process->end();
    child.process->kill_family();  // it is a zombie still, so the number is its own
    if (options_.adopt_orphans) child.process->end_orphans(own_children());
    // All writers have gone, or were never ours to end: what is in the pipe is what there is.
    for (const auto stream : ChildProcess::kStreams) read_stream(child, stream, 1 << 20);
    ProcessEnd end;
    (facts.by_signal ? end.signal : end.exit_code) = facts.number;
    if (end.signal == SIGKILL) {
      end.killed_because = std::move(child.killed_because);
      if (memory_.has_ended(child.process->group())) end.killed_because = memory_.reason();
    }
    end.last_lines = child.log->last_lines();
    end.account = std::move(child.account);
    child.log->close();
    std::string crash = facts.by_signal ? crash_report_in(child.process->report()) : std::string();
    std::unique_ptr<Child> gone;
    {
      const std::lock_guard lock(mutex_);
      child.process->reap();
      gone = std::move(children_[child.handle]);
      children_.erase(child.handle);
      log_ended(gone->spec.name);
    }
    leaving_.push_back({std::move(gone), std::move(end), std::move(crash)});
  }

  // Without waiting, as children are to be started meanwhile.
  void let_go_of_what_has_left() {
    std::erase_if(leaving_, [&](Leaving& each) {
      if (!each.child->process->has_left(now_ns())) return false;
      each.child->process.reset();
      if (each.crash.empty()) {
        tell(*each.child, std::move(each.end));
      } else {
        tell_with_crash(std::move(each.child), std::move(each.end), std::move(each.crash));
      }
      return true;
    });
  }

  // Once that has been read, while others are attended to.
  void tell_with_crash(std::shared_ptr<Child> child, ProcessEnd end, std::string raw) {
    crash_reader_.read(std::move(raw), [this, child = std::move(child), end = std::move(end)](
                                           std::optional<ProcessCrash> crash) mutable {
      end.crash = std::move(crash);
      if (end.crash)
        spdlog::warn("'{}' was {}{}", child->spec.name, end.text(), end.crash->threads);
      tell(*child, std::move(end));
    });
  }

  std::int64_t now_ns() const { return control_.clock().now_ns(); }

  void look_at_memory() {
    const std::int64_t now = now_ns();
    if (now - memory_seen_ns_ < kMemoryMs * std::int64_t{1'000'000}) return;
    memory_seen_ns_ = now;
    const std::lock_guard lock(mutex_);
    for (auto& [handle, child] : children_) {
      if (!child->killed_because.empty() ||
          !memory_.is_exceeded_by(child->process->id(), child->process->group()))
        continue;
      child->killed_because = memory_.reason();
      child->process->kill();
    }
  }

  void tell(Child& child, ProcessEnd end) {
    control_.post("end of " + child.spec.name,
                  [on_end = std::move(child.on_end), end = std::move(end)]() mutable {
                    on_end(std::move(end));
                  });
  }

  // With mutex_. Only so many are kept.
  void log_ended(const std::string& name) {
    const auto has_name = [&](const Child& child) { return child.spec.name == name; };
    for (const auto& [handle, child] : children_) {
      if (has_name(*child)) return;
    }
    for (const auto& child : to_start_) {
      if (has_name(*child)) return;
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
    std::set<pid_t> ids = templates_.ids();
    for (const auto& [handle, child] : children_) ids.insert(child->process->id());
    return ids;
  }

  void end_all() {
    templates_.end_all();
    std::vector<Child*> left;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [handle, child] : children_) {
        child->process->kill();
        left.push_back(child.get());
      }
    }
    for (Child* const child : left) {
      child->on_end = [](ProcessEnd) {};
      end(*child);
    }
    leaving_.clear();
  }

  ControlThread& control_;
  const ChildProcessesOptions options_;
  ControlGroups groups_;
  const MemoryLimiter memory_{groups_, options_.memory};
  std::int64_t memory_seen_ns_ = 0;
  std::uint64_t last_number_ = 0;  // of a process
  ProcessTemplates templates_{groups_, last_number_};
  int wake_ = -1;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  ProcessHandle last_handle_ = 0;
  std::deque<std::unique_ptr<Child>> to_start_;
  std::deque<std::pair<ProcessHandle, int>> signals_;
  std::map<ProcessHandle, std::unique_ptr<Child>> children_;  // taken out by the thread alone
  std::map<std::string, std::shared_ptr<RolledLog>> logs_;
  std::deque<std::string> ended_logs_;
  std::vector<Leaving> leaving_;
  CrashReader crash_reader_;  // ends before what it tells
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

}  // namespace freshet::core
