// One child: a process of ours, watched, with what it prints in a pipe and, where they are to be
// had, a control group of its own.
//
// Threads    The one that makes it: the child is killed when that thread ends.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "posix/descriptor.h"
#include "process/control_group.h"

namespace freshet::core {

class ChildProcess {
 public:
  struct Start {
    std::string inherited;
    bool separate_errors = false;  // its two output streams are told apart
  };
  // What it writes to whom.
  enum Stream : std::uint8_t { kOutput, kErrors, kAccount };
  static constexpr std::array kStreams{kOutput, kErrors, kAccount};

  // Each takes a number that no other child of this process has had, and throws InvalidInput: it
  // can't be started, or can't be watched.
  //
  // Without `start` it becomes a template (template_process.h).
  ChildProcess(std::vector<std::string> command, std::map<std::string, std::string> environment,
               std::optional<Start> start, const ControlGroups& groups, std::uint64_t number);
  // Forked from that template, which is ready. If it throws, the template has to go.
  ChildProcess(const ChildProcess& from, const Start& start, const ControlGroups& groups,
               std::uint64_t number);
  // Waits until nothing runs in its group. It has been reaped, or is killed and reaped.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t id() const { return id_; }
  int watch() const { return watch_.get(); }  // readable once it has ended
  // What it prints; -1 if there is no such stream, or once nobody can print to it any more. Without
  // separate errors all that it prints is output.
  int stream(Stream which) const { return streams_[which].get(); }
  void close(Stream which) { streams_[which].close(); }

  // What it has left about its death (crash/crash_report.h); -1 of a template.
  int report() const { return report_.get(); }

  // Of a template: whether it can fork.
  bool is_ready();

  bool has_ended() const;
  // All that it has forked, as far as that can be told; itself where there are no control groups.
  void kill_family() const;
  void kill() const;

  struct End {
    bool by_signal = false;
    int number = 0;  // exit code or signal
  };
  // Once it has ended, which is waited for: how. It is a zombie still.
  End end() const;
  // Of what it has forked nothing runs after that. `own` are other children of ours.
  void end_orphans(const std::set<pid_t>& own) const;
  // Its number may be another process's after that.
  void reap();
  // Once it has been reaped: whether nothing runs in its group any more, which is taken away then.
  // A second after the first call it counts as left all the same. Does not wait. `now_ns` is the
  // monotonic clock's.
  bool has_left(std::int64_t now_ns);
  // Its control group; empty if it has none.
  const std::filesystem::path& group() const { return group_; }

 private:
  void watch_it();

  const std::string mark_;
  std::filesystem::path group_;
  pid_t id_ = 0;
  Descriptor watch_;
  std::array<Descriptor, kStreams.size()> streams_;
  Descriptor report_;   // what it inherits, until it has taken it
  Descriptor channel_;  // of a template
  bool ready_ = false;
  bool reaped_ = false;
  std::optional<std::int64_t> leaving_since_ns_;
};

}  // namespace freshet::core
