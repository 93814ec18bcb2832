// A running cluster, seen from outside: submit, list, watch and cancel applications and jobs, shut
// down. After FLIP-74: ClusterDeployer -> ClusterClient -> JobClient.
//
// Threads    Any. No call blocks: each returns a future (see freshet/future.h), whose waiting calls
//            block the thread outside and only the fiber inside a task.
// Errors     InvalidInput: the cluster refuses it. ClusterUnreachable: no job manager answered in
//            time. A job manager that is away for a moment is waited for, and what was asked is
//            asked again; nothing is submitted twice.
// Ownership  A client does not own its cluster: it goes on when the client is dropped, which may be
//            anywhere, also in the continuation of a future or in what a listener is told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/future.h"
#include "freshet/job_client.h"

namespace freshet {

// No job manager of that cluster answers, which names where it was looked for, or not the one that
// was asked: it has restarted without any record of that.
class FRESHET_API ClusterUnreachable : public Error {
 public:
  using Error::Error;
  ~ClusterUnreachable() override;
};

enum class ApplicationStatus : std::uint8_t {
  kCreated,  // accepted; main has not begun
  kRunning,  // main runs, or jobs of it do
  kCanceling,
  kFinished,
  kFailed,
  kCanceled,
};
FRESHET_API const char* name_of(ApplicationStatus status);
FRESHET_API bool is_terminal(ApplicationStatus status);

struct JobInfo {
  std::string job_id;
  std::string job_name;
  std::string application_id;
  JobStatus status = JobStatus::kCreated;
  // Why it is where it is: what it waits for, why it failed. At most 32 KiB, 1 KiB in lists and
  // within an ApplicationInfo: what was longer has lost its middle.
  std::string detail;
  std::int64_t since_ms = 0;  // of its creation, since the epoch
  std::int64_t ended_ms = 0;  // 0: not yet
};

struct ApplicationInfo {
  std::string id;
  std::string name;
  ApplicationStatus status = ApplicationStatus::kCreated;
  std::string reason;            // of a failure: main's, or its first failed job's
  std::optional<int> exit_code;  // of main, once it has ended
  std::optional<int> signal;     // that killed it
  std::int64_t since_ms = 0;
  std::int64_t ended_ms = 0;  // 0: not yet
  // The last ones, 10,000 at most, in the order of their submission; ClusterClient::jobs() has all.
  std::vector<JobInfo> jobs;
  std::uint64_t jobs_left_out = 0;  // how many came before them
};

// Applications and jobs whose ids begin alike.
struct IdMatches {
  std::vector<ApplicationInfo> applications;
  std::vector<JobInfo> jobs;
  std::uint64_t count = 0;  // of both, also of those that are left out
};

struct TaskManagerInfo {
  std::string id;
  std::string host;
  std::int64_t process_id = 0;
  std::uint32_t slots = 0;
  std::uint32_t free_slots = 0;
  std::vector<std::int64_t> worker_processes;
};

struct ClusterInfo {
  std::string id;
  std::string version;          // of Freshet
  std::int64_t process_id = 0;  // of the job manager
  std::int64_t since_ms = 0;
  std::vector<TaskManagerInfo> task_managers;
};

// A file of an application: a path of the client, which is uploaded, or a URL that the cluster
// fetches: local://, file://, http:// (only with a hash), https://.
struct Artifact {
  std::string location;
  std::string sha256;  // 64 hex digits; empty: not checked
};

struct ApplicationSpec {
  std::string id;    // 32 hex digits; empty: the cluster draws one
  std::string name;  // for people; empty: the file's
  Artifact main;
  std::vector<Artifact> shipped;
  std::vector<std::string> arguments;           // of main
  std::map<std::string, std::string> settings;  // of job scope, as key -> text
};

struct LogChunk {
  std::string text;
  std::uint64_t next = 0;  // where to go on
  bool ended = false;      // the process has, and that was all
  // What of `text` came from the standard error of a main, as [begin, end) in order. The streams of
  // other processes are not told apart.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> errors;
};

// A change of status; the first events after the subscription tell what there is.
struct ClusterEvent {
  std::string application_id;
  std::string job_id;  // empty: of the application itself
  std::string name;
  std::string status;  // name_of() of it
  std::string detail;
  bool terminal = false;
};

// [one thread at a time, in order; none lost while connected, after a reconnect the current state]
class FRESHET_API ClusterListener {
 public:
  virtual ~ClusterListener();
  virtual void on_event(const ClusterEvent& event) = 0;
};

class FRESHET_API ClusterClient {
 public:
  virtual ~ClusterClient();
  virtual const std::string& cluster_id() const = 0;
  virtual Future<ClusterInfo> status() = 0;

  // Uploads what is the client's, and completes with the id once the cluster has accepted it. An id
  // that the cluster knows already is refused.
  virtual Future<std::string> submit_application(const ApplicationSpec& application) = 0;
  virtual Future<std::vector<ApplicationInfo>> applications() = 0;
  virtual Future<ApplicationInfo> application(const std::string& id) = 0;
  // What has this id, or an id that begins so: the first ten of them. Asks for nothing else, so it
  // is cheap with any number of jobs. Fails with InvalidInput for a whole id of which there is no
  // record any more.
  virtual Future<IdMatches> find(const std::string& id_or_beginning) = 0;
  // Completes when it has ended, however it ended.
  virtual Future<ApplicationInfo> application_end(const std::string& id) = 0;
  virtual Future<void> cancel_application(const std::string& id) = 0;

  // A serialised JobGraph, with the files that its modules name by hash. `application_id` may be
  // empty: the job is then an application of its own.
  virtual Future<std::unique_ptr<JobClient>> submit_job(const std::string& job_graph,
                                                        const std::string& application_id) = 0;
  virtual Future<std::vector<JobInfo>> jobs() = 0;
  // One that this client did not submit; an unknown id is told by the first call.
  virtual std::unique_ptr<JobClient> job(const std::string& job_id) = 0;

  // `process` is "jobmanager", "main:<application id>", a task manager's id, or
  // "<job id>:<worker>".
  virtual Future<LogChunk> read_log(const std::string& process, std::uint64_t from) = 0;
  // The listener is told until the client is dropped. Once.
  virtual void listen(std::shared_ptr<ClusterListener> listener) = 0;
  // For deployers. Lets go of at most `count` of these task managers and completes with their
  // names: they get no job any more, and are told to end. First go those that have been let go
  // before, then those that have not registered (and are refused from now on), then those that hold
  // no worker; of several the first ones. Those that hold workers stay.
  virtual Future<std::vector<std::string>> release_task_managers(
      const std::vector<std::string>& names, std::uint32_t count) = 0;
  // Cancels what runs, ends every process of the cluster.
  virtual Future<void> shut_down() = 0;
};

}  // namespace freshet
