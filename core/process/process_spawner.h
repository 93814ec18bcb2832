// Children, as roles see them: started, ended, killed. The real one (child_processes.h) starts
// processes; the simulated one (simulation/) plays them.
//
// Threads    Every call from the control thread; on_end runs there, too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/detail/unique_function.h"

namespace freshet::core {

struct FRESHET_API ProcessSpec {
  std::string name;                                // of its log: "worker-3f2a-1"
  std::vector<std::string> command;                // argv; [0] is an absolute path
  std::map<std::string, std::string> environment;  // added to ours
  std::string inherited;                           // read by the child from descriptor 3 to its end
  std::string shown_as = {};                       // last argument, for who lists processes
  // Whether it may be forked from a process of that command that was started before, which takes
  // what it inherits from serve_as_template() then, and shows its name itself.
  bool may_be_forked = false;
  // Whether its log tells what it prints to its standard error from its standard output.
  bool separate_errors = false;

  std::vector<std::string> whole_command() const;
};

// Of a process that died by a signal, and said where.
struct ProcessCrash {
  std::string operator_name;  // empty: no operator ran
  std::uint32_t subtask = 0;
  std::uint64_t record = 0;   // 0: not known to the record
  std::string circumstances;  // " at address 0x10, in the batch of records 1 to 64"
  std::string stack;          // of user code, a line each, which begins with an end of line
  std::string threads;        // the stacks of all threads, likewise
};

struct FRESHET_API ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string last_lines;  // of what it printed; may be empty
  std::optional<ProcessCrash> crash = {};
  std::string killed_because = {};  // why its starter has killed it, if that is known here
  std::string account = {};  // what it said itself of its end (own_account.h); empty: nothing

  bool clean() const { return exit_code == 0; }
  // "exited with 3", "killed by signal 11 (Segmentation fault) at address 0x10", and the stack of
  // user code; "killed because …".
  std::string text() const;
};

using ProcessHandle = std::uint64_t;  // never used again in the life of a spawner

class FRESHET_API ProcessSpawner {
 public:
  virtual ~ProcessSpawner();
  // Returns at once; on_end is called once, also if the process could not be started. What its
  // children left running ends with it.
  virtual ProcessHandle spawn(ProcessSpec spec,
                              detail::UniqueFunction<void(ProcessEnd)> on_end) = 0;
  // 0 until it has started, and once it has ended.
  virtual std::int64_t process_id(ProcessHandle process) const = 0;
  // SIGTERM, as soon as it has started. Nothing once it has ended.
  virtual void ask_to_end(ProcessHandle process) = 0;
  // SIGKILL, to all that it has forked, too. on_end follows.
  virtual void kill(ProcessHandle process) = 0;
  // What the process of that name has printed from that byte on; older output may be gone. Throws
  // InvalidInput if no log of that name is kept, as by default. [any thread]
  virtual LogChunk read_log(const std::string& name, std::uint64_t from) const;
};

}  // namespace freshet::core
