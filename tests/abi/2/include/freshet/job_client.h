// One job, seen from outside: status, result, cancel, accumulators, details. After FLIP-74.
//
// Threads    Any. No call blocks: each returns a future (see freshet/future.h), whose waiting calls
//            block the thread outside and only the fiber inside a task.
// Ownership  The job goes on when its client is dropped, which may be anywhere, also in the
//            continuation of a future.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/accumulators.h"
#include "freshet/api.h"
#include "freshet/error.h"
#include "freshet/future.h"
#include "freshet/metrics.h"
#include "freshet/plugin/operator.h"

namespace freshet {

class Configuration;

enum class JobStatus : std::uint8_t {
  kCreated,
  kRunning,
  kFailing,
  kFailed,
  kCanceling,
  kCanceled,
  kFinished,
  kRestarting,
  kCommitting,  // all is written, and becomes visible: it is not run again and can't be canceled
};
FRESHET_API const char* name_of(JobStatus status);
// Finished, failed or canceled: it stays so.
FRESHET_API bool is_terminal(JobStatus status);

struct FRESHET_API JobResult {
  std::string job_id;
  std::string job_name;
  JobStatus status = JobStatus::kCreated;
  std::int64_t duration_ms = 0;
  AccumulatorValues accumulators;
  std::optional<FailureInfo> failure;  // if failed

  bool succeeded() const { return status == JobStatus::kFinished; }
};

// A job ended as failed; thrown by what must have its result, such as execute().
class FRESHET_API JobFailed : public Error {
 public:
  JobFailed(const std::string& job_name, FailureInfo failure);
  ~JobFailed() override;
  const FailureInfo& failure() const { return failure_; }

 private:
  FailureInfo failure_;
};

class FRESHET_API JobCanceled : public Error {
 public:
  explicit JobCanceled(const std::string& job_name);
  ~JobCanceled() override;
};

struct VertexDetails {
  std::string id;
  std::string name;
  std::uint32_t parallelism = 0;
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;
  MetricValues metrics;  // those that its code keeps, of all subtasks
};

// One parallel part of a task: a vertex and those that are chained to it.
struct SubtaskDetails {
  std::string vertex_id;  // the first of the task's vertices
  std::uint32_t subtask = 0;
  std::string state;  // "scheduled", "deploying", "running", ...
  std::string host;
  std::uint32_t worker = 0;   // number of its worker in the job
  std::uint32_t attempt = 0;  // how often the job was started anew before
};

struct JobDetails {
  std::string job_id;
  std::string job_name;
  JobStatus status = JobStatus::kCreated;
  std::int64_t running_ms = 0;
  std::vector<VertexDetails> vertices;
  std::uint64_t source_records = 0;      // emitted by all sources
  std::uint64_t sink_records = 0;        // taken by all sinks
  std::vector<SubtaskDetails> subtasks;  // of the last attempt; empty where none is told
};

// One thing that a job has to say: a change of its state, or what an operator told.
struct JobMessage {
  std::uint64_t number = 0;  // counted from 1 in each job; a gap: older ones have been dropped
  std::int64_t at_ms = 0;    // since the epoch
  JobStatus status = JobStatus::kCreated;  // the job's, after this
  std::string operator_name;               // empty: the job itself
  std::uint32_t subtask = 0;
  std::string text;
};

class FRESHET_API JobClient {
 public:
  virtual ~JobClient();
  // The job 'job.id' of the cluster that the configuration names, for a process that never ran its
  // main. Waits for the cluster. Throws InvalidInput (also if the cluster does not know the job) or
  // ClusterUnreachable.
  static std::unique_ptr<JobClient> from(const Configuration& configuration);
  virtual const std::string& job_id() const = 0;
  virtual const std::string& job_name() const = 0;
  virtual Future<JobStatus> status() = 0;
  // Completes when the job has ended, however it ended; JobResult says how.
  virtual Future<JobResult> result() = 0;
  // Completes when the cancel has been taken; the job's end is told by result(). Fails with
  // InvalidInput while the job is committing: a part of its output may be visible already.
  virtual Future<void> cancel() = 0;
  // Ends a job that is committing, too: as failed, naming what is visible.
  virtual Future<void> cancel_by_force();
  virtual Future<AccumulatorValues> accumulators() = 0;
  virtual Future<JobDetails> details() = 0;
  // Final signatures; they fail with 'not supported by this job yet' until snapshots exist.
  virtual Future<std::string> stop(const std::string& directory, bool drain) = 0;
  virtual Future<std::string> savepoint(const std::string& directory) = 0;
  // The next rows that the collecting vertex of that id has sent, serialised; nothing after its
  // end. One reader at a time. Fails as result() would have it if the job fails. Where the job is
  // started anew (a restart, another job manager), its rows come from the beginning: if none has
  // been handed out the caller notices nothing, else this fails and says so, as they would come
  // twice; the job runs on until it is canceled.
  virtual Future<std::optional<std::string>> next_result(const std::string& vertex_id) = 0;
  // The first message with a number above `after`, as soon as there is one: a subscriber that comes
  // late begins with 0 and gets all that are kept (the last 1,000), and there may be any number of
  // them. Nothing once the job is in its end state and that was the last. Fails with 'not
  // supported' where the job's runtime keeps no messages.
  virtual Future<std::optional<JobMessage>> next_message(std::uint64_t after);
};

// Told of every execute() and execute_async() of an environment. [the submitting or, for
// on_job_executed, any thread] The result of a job completes when all have been told; one that
// throws is what the result then says.
class FRESHET_API JobListener {
 public:
  virtual ~JobListener();
  // Null and the error if the submission failed.
  virtual void on_job_submitted(JobClient* client, const std::string& error) = 0;
  virtual void on_job_executed(const JobResult& result) = 0;
};

namespace detail {

// Waits for the end; throws JobFailed or JobCanceled unless the job has finished.
FRESHET_API JobResult result_or_throw(JobClient& client);
FRESHET_API void cancel_and_wait(JobClient& client) noexcept;

}  // namespace detail
}  // namespace freshet
