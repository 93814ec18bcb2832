// The real ProcessSpawner. One thread of its own, which lives as long as it, starts every child,
// reads what it prints into rolled logs, and learns of its end from its pidfd.
//
// A child is a session of its own and is killed when this process ends, however it ends. What it
// has forked is killed with it: its group, and whatever of it came to this process, which adopts
// the orphans of its descendants.
//
// Threads    The constructor, spawn(), process_id(), ask_to_end() and kill() from the control
//            thread, which never waits for a process; read_log() and add_log() from any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "control/control_thread.h"
#include "freshet/api.h"
#include "process/memory_limit.h"
#include "process/process_spawner.h"
#include "process/rolled_log.h"

namespace freshet::core {

struct ChildProcessesOptions {
  std::filesystem::path log_folder;  // is there
  std::uint64_t log_bytes = std::uint64_t{8} * 1024 * 1024;
  std::size_t ended_logs = 64;  // how many logs of processes that have ended are kept
  // Whether this process adopts the orphans of its children, and reaps them. Plugins in it may
  // start processes of their own and wait for them.
  bool adopt_orphans = true;
  MemoryLimit memory = {};  // of each child, with all that it forks
};

class FRESHET_API ChildProcesses final : public ProcessSpawner {
 public:
  // Throws InvalidInput if there is no room for its descriptors.
  ChildProcesses(ControlThread& thread, ChildProcessesOptions options);
  // Kills what runs, and waits for its end; nobody is told of it.
  ~ChildProcesses() override;
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  ProcessHandle spawn(ProcessSpec spec, detail::UniqueFunction<void(ProcessEnd)> on_end) override;
  std::int64_t process_id(ProcessHandle process) const override;
  void ask_to_end(ProcessHandle process) override;
  void kill(ProcessHandle process) override;
  LogChunk read_log(const std::string& name, std::uint64_t from) const override;

  // Lets read_log() find it, too: this process's own.
  void add_log(std::shared_ptr<RolledLog> log);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace freshet::core
