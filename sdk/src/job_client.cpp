#include "freshet/job_client.h"

#include <utility>

#include "freshet/detail/backend.h"

namespace freshet {
namespace {

std::string describe(const std::string& job_name, const FailureInfo& failure) {
  std::string text = "job '" + job_name + "' failed: ";
  if (!failure.operator_name.empty()) {
    text += "operator '" + failure.operator_name + "' (subtask " + std::to_string(failure.subtask) +
            ")";
    if (failure.record != 0) text += " at record " + std::to_string(failure.record);
    text += ": ";
  }
  return text + (failure.message.empty() ? "no message" : failure.message);
}

}  // namespace

const char* name_of(JobStatus status) {
  switch (status) {
    case JobStatus::kCreated:
      return "created";
    case JobStatus::kRunning:
      return "running";
    case JobStatus::kFailing:
      return "failing";
    case JobStatus::kFailed:
      return "failed";
    case JobStatus::kCanceling:
      return "canceling";
    case JobStatus::kCanceled:
      return "canceled";
    case JobStatus::kFinished:
      return "finished";
    case JobStatus::kRestarting:
      return "restarting";
    case JobStatus::kCommitting:
      return "committing";
  }
  return "unknown";
}

bool is_terminal(JobStatus status) {
  return status == JobStatus::kFinished || status == JobStatus::kFailed ||
         status == JobStatus::kCanceled;
}

JobFailed::JobFailed(const std::string& job_name, FailureInfo failure)
    : Error(describe(job_name, failure)), failure_(std::move(failure)) {}
JobFailed::~JobFailed() = default;

JobCanceled::JobCanceled(const std::string& job_name)
    : Error("job '" + job_name + "' was canceled") {}
JobCanceled::~JobCanceled() = default;

JobClient::~JobClient() = default;
std::unique_ptr<JobClient> JobClient::from(const Configuration& configuration) {
  return detail::execution_backend().job_client(configuration);
}
Future<std::optional<JobMessage>> JobClient::next_message(std::uint64_t) {
  return make_failed_future<std::optional<JobMessage>>(std::make_exception_ptr(
      Error("messages of job '" + job_name() +
            "' are not supported by what runs it: its state is told by status() and result()")));
}
Future<void> JobClient::cancel_by_force() { return cancel(); }
JobListener::~JobListener() = default;

namespace detail {

JobResult result_or_throw(JobClient& client) {
  JobResult result = client.result().get();
  if (result.status == JobStatus::kCanceled) throw JobCanceled(result.job_name);
  if (result.status == JobStatus::kFailed) {
    throw JobFailed(result.job_name, result.failure.value_or(FailureInfo{}));
  }
  return result;
}

void cancel_and_wait(JobClient& client) noexcept {
  try {
    client.cancel().get();
    client.result().wait();
  } catch (const std::exception&) {
    // The job is out of reach, which is what the caller wanted.
  }
}

}  // namespace detail
}  // namespace freshet
