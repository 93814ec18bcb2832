// What the processes of a cluster say to each other: job manager, task managers, workers.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/plugin/job_graph.h"
#include "messages/client_messages.h"

namespace freshet::core {

// One worker process: of that job, in that attempt, the how many-th. Asking for it twice starts it
// once.
struct WorkerId {
  std::string job;
  std::uint32_t attempt = 0;
  std::uint32_t number = 0;
  auto operator<=>(const WorkerId&) const = default;
  std::string text() const {
    return job.substr(0, 8) + "-" + std::to_string(attempt) + "-" + std::to_string(number);
  }
  FRESHET_MESSAGE_FIELDS(job, attempt, number);
};

// ---- task manager <-> job manager ---------------------------------------------------------------

// task manager -> job manager, first thing on a link. Refused: no slots. Deadline: none. Since 1.
struct RegisterTaskManager {
  static constexpr const char* kKind = "register-task-manager";
  static constexpr Senders kFrom{Role::kTaskManager};
  using Answer = Done;
  std::string id;
  std::string host;
  std::int64_t process_id = 0;
  std::uint32_t slots = 0;
  // Which folder its workers meet in: they do with those of another one that has the same.
  std::string meeting_place;
  FRESHET_MESSAGE_FIELDS(id, host, process_id, slots, meeting_place);
};

// job manager -> task manager. Fetches the modules that it has not, and starts the worker. Answer:
// it is being started, or was before; its process, if that is known yet. Deadline: none; its end is
// told by worker-ended. Since 1.
struct StartWorker {
  static constexpr const char* kKind = "start-worker";
  static constexpr Senders kFrom{Role::kJobManager};
  struct Answer {
    std::int64_t process_id = 0;
    FRESHET_MESSAGE_FIELDS(process_id);
  };
  WorkerId worker;
  std::string job_name;
  std::uint32_t slots = 0;
  PublicKey public_key;
  std::string secret_key;
  bool one_host = false;                        // all workers of the job are on this host
  bool collects = false;                        // clients read rows from its workers
  std::vector<JobModule> modules;               // the shipped ones, by hash
  std::map<std::string, std::string> settings;  // of the job
  FRESHET_MESSAGE_FIELDS(worker, job_name, slots, public_key, secret_key, one_host, collects,
                         modules, settings);
};

// job manager -> task manager. Kills it; nothing if it has ended. Deadline: none. Since 1.
struct StopWorker {
  static constexpr const char* kKind = "stop-worker";
  static constexpr Senders kFrom{Role::kJobManager};
  WorkerId worker;
  FRESHET_MESSAGE_FIELDS(worker);
};

// task manager -> job manager. Once for each start-worker, whether or not a process came of it.
// Deadline: none. Since 1.
struct WorkerEnded {
  static constexpr const char* kKind = "worker-ended";
  static constexpr Senders kFrom{Role::kTaskManager};
  WorkerId worker;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string last_lines;
  std::string error;         // it could not be started
  bool host_failed = false;  // that is why: another job would fare no better
  FailureInfo
      crash;  // if it died by a signal and said where; its message says what `signal` does not
  std::string threads;         // the stacks of all threads then
  std::string killed_because;  // by the task manager, which knows why
  FRESHET_MESSAGE_FIELDS(worker, exit_code, signal, last_lines, error, host_failed, crash, threads,
                         killed_because);
};

// task manager -> job manager. It begins to end, and takes no more workers; those that it has end
// next. Deadline: none. Since 1.
struct TaskManagerEnds {
  static constexpr const char* kKind = "task-manager-ends";
  static constexpr Senders kFrom{Role::kTaskManager};
  std::string reason;
  FRESHET_MESSAGE_FIELDS(reason);
};

// job manager -> task manager. The cluster ends, or the task manager is not needed any more: it
// ends, and all its workers. Deadline: none. Since 1.
struct EndTaskManager {
  static constexpr const char* kKind = "end-task-manager";
  static constexpr Senders kFrom{Role::kJobManager};
  std::string reason;
  FRESHET_MESSAGE_FIELDS(reason);
};

// ---- worker <-> job manager ---------------------------------------------------------------------

// worker -> job manager, first thing on a link. Deadline: none. Since 1.
struct WorkerReady {
  static constexpr const char* kKind = "worker-ready";
  static constexpr Senders kFrom{Role::kWorker};
  WorkerId worker;
  Address data;  // bound
  std::int64_t process_id = 0;
  FRESHET_MESSAGE_FIELDS(worker, data, process_id);
};

// job manager -> worker, once. What makes it impossible is told by worker-failed. Deadline: none.
// Since 1.
struct Deploy {
  static constexpr const char* kKind = "deploy";
  static constexpr Senders kFrom{Role::kJobManager};
  std::string job_graph;
  std::vector<Address> workers;  // by number
  std::uint32_t number = 0;
  std::vector<std::uint32_t> worker_of_subtask;
  FRESHET_MESSAGE_FIELDS(job_graph, workers, number, worker_of_subtask);
};
// job manager -> worker: every worker has opened. Deadline: none. Since 1.
struct OpenGate {
  static constexpr const char* kKind = "open";
  static constexpr Senders kFrom{Role::kJobManager};
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> worker: every worker has finished, and what they have prepared is kept. Tasks call
// commit() and end. Deadline: none. Since 1.
struct Commit {
  static constexpr const char* kKind = "commit";
  static constexpr Senders kFrom{Role::kJobManager};
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> worker, also to one that was never deployed: makes visible what sinks have
// prepared, here or elsewhere. Answer: an outcome for each; before it output-committed for those
// that are visible, but the last. Deadline: none here, see execution.commit-timeout. Since 1.
struct CommitPrepared {
  static constexpr const char* kKind = "commit-prepared";
  static constexpr Senders kFrom{Role::kJobManager};
  struct Answer {
    std::vector<CommitOutcome> outcomes;
    FRESHET_MESSAGE_FIELDS(outcomes);
  };
  std::string job_graph;  // empty: it was deployed
  std::vector<Committable> committables;
  FRESHET_MESSAGE_FIELDS(job_graph, committables);
};
// worker -> job manager: of what commit-prepared has asked for that of one subtask is visible. The
// answer says it again, unless another one never comes to its end. Deadline: none. Since 1.
struct OutputCommitted {
  static constexpr const char* kKind = "output-committed";
  static constexpr Senders kFrom{Role::kWorker};
  std::uint32_t vertex = 0;
  std::uint32_t subtask = 0;
  std::string text;  // as CommitOutcome has it
  FRESHET_MESSAGE_FIELDS(vertex, subtask, text);
};
// job manager -> worker. Its tasks end; worker-tasks-ended follows. Deadline: none here, see
// task.cancellation-timeout. Since 1.
struct CancelTasks {
  static constexpr const char* kKind = "cancel";
  static constexpr Senders kFrom{Role::kJobManager};
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> worker: everything is told, it ends. Deadline: none here. Since 1.
struct EndWorker {
  static constexpr const char* kKind = "end-worker";
  static constexpr Senders kFrom{Role::kJobManager};
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> worker. Deadline: two seconds. Since 1.
struct GetReport {
  static constexpr const char* kKind = "report";
  static constexpr Senders kFrom{Role::kJobManager};
  using Answer = TaskReport;
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> worker: lets a client collect rows there. Deadline: none. Since 1.
struct AdmitReader {
  static constexpr const char* kKind = "admit-reader";
  static constexpr Senders kFrom{Role::kJobManager};
  using Answer = Done;
  PublicKey key;
  FRESHET_MESSAGE_FIELDS(key);
};

// worker -> job manager: all of its tasks have opened. Deadline: none. Since 1.
struct TasksOpened {
  static constexpr const char* kKind = "tasks-opened";
  static constexpr Senders kFrom{Role::kWorker};
  FRESHET_MESSAGE_FIELDS();
};
// worker -> job manager: all have read, written and sent everything. `commits`: some have a
// commit() that must not be called twice. Deadline: none. Since 1.
struct TasksFinished {
  static constexpr const char* kKind = "tasks-finished";
  static constexpr Senders kFrom{Role::kWorker};
  std::vector<Committable> committables;
  bool commits = false;
  FRESHET_MESSAGE_FIELDS(committables, commits);
};
// worker -> job manager: the first failure in it. Deadline: none. Since 1.
struct TasksFailed {
  static constexpr const char* kKind = "tasks-failed";
  static constexpr Senders kFrom{Role::kWorker};
  FailureInfo failure;
  std::optional<std::uint32_t> lost_worker;  // it is that the connection to this one is lost
  FRESHET_MESSAGE_FIELDS(failure, lost_worker);
};
// worker -> job manager: what an operator has to say. Deadline: none. Since 1.
struct OperatorTold {
  static constexpr const char* kKind = "told";
  static constexpr Senders kFrom{Role::kWorker};
  std::uint32_t vertex = 0;
  std::uint32_t subtask = 0;
  std::string text;
  FRESHET_MESSAGE_FIELDS(vertex, subtask, text);
};
// worker -> job manager, before tasks-finished: how many bytes its accumulators of bytes hold,
// whose limit is that of the job. Deadline: none. Since 1.
struct TasksAccumulated {
  static constexpr const char* kKind = "tasks-accumulated";
  static constexpr Senders kFrom{Role::kWorker};
  std::uint64_t bytes = 0;
  std::string largest;  // the name of the one that holds most
  FRESHET_MESSAGE_FIELDS(bytes, largest);
};
// worker -> job manager: none of its tasks runs any more. Its last word. Deadline: none. Since 1.
struct TasksEnded {
  static constexpr const char* kKind = "tasks-ended";
  static constexpr Senders kFrom{Role::kWorker};
  TaskReport report;
  FRESHET_MESSAGE_FIELDS(report);
};

}  // namespace freshet::core
