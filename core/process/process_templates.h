// The templates of a process (template_process.h), one for each kind of child that it starts often:
// who has started two of a kind within a minute has a template of it from then on, until none was
// wanted for a minute. Only where control groups are to be had: what a child forks could not be
// told from what the others fork without them.
//
// Threads    The one that starts children.
// Times      Nanoseconds of the monotonic clock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "process/child_process.h"
#include "process/process_spawner.h"

namespace freshet::core {

class ProcessTemplates {
 public:
  // `last_number` is that of the child before.
  ProcessTemplates(const ControlGroups& groups, std::uint64_t& last_number)
      : groups_(groups), last_number_(last_number) {}

  // A child as the spec has it; none if there is no template that is ready. Counts as wanted.
  std::unique_ptr<ChildProcess> fork(const ProcessSpec& spec, std::int64_t now_ns);

  // Starts those that are wanted, ends those that are not wanted any more or have ended.
  void tend(std::int64_t now_ns);
  // When to call tend() again, also if one's watch is readable; -1: not by time.
  int wait_ms(std::int64_t now_ns) const;

  std::vector<int> watches() const;
  std::set<pid_t> ids() const;
  void end_all() { kinds_.clear(); }

 private:
  struct Kind {
    ProcessSpec spec;  // without what is one child's own
    std::unique_ptr<ChildProcess> process;
    std::int64_t wanted_ns = 0;  // the last time
    bool wanted_often = false;
  };

  const ControlGroups& groups_;
  std::uint64_t& last_number_;
  std::map<std::vector<std::string>, Kind> kinds_;  // by command and environment
};

}  // namespace freshet::core
