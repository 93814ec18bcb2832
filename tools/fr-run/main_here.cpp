#include "main_here.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/in_process_backend.h"
#include "backend/running_jobs.h"
#include "bounds/failure_text.h"
#include "cluster_words.h"
#include "exit_code/exit_code.h"
#include "exits.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "interrupts.h"
#include "process/main_end.h"
#include "report.h"
#include "standard_streams.h"

namespace freshet::tool {
using namespace core;
namespace {

bool answers(ClusterClient& cluster) {
  constexpr std::int64_t kPatienceMs = 1'000;
  try {
    return cluster.status().get_for(kPatienceMs).has_value();
  } catch (const Error&) {
    return false;
  }
}

class Course {
 public:
  Course(const Clock& clock, const MainHere& main, const Configuration& configuration)
      : clock_(clock),
        main_(main),
        patience_ms_(configuration.get(options::kTaskCancellationTimeout).ms()),
        progress_(std::in_place, configuration.get(options::kClientProgressInterval).ms()) {}

  // Main has left, as `result` has it.
  int end(const MainResult& result) {
    const bool interrupted_before = interrupted();
    int code = exit_code_of(result);
    if (code == exit_code::kDone) {
      for (const auto& job : RunningJobs::instance().running()) job->result().wait();
      progress_.reset();
      if (main_.cluster != nullptr) tell_cluster(result);
      code = code_of_jobs();
    } else {
      progress_.reset();
      if (!interrupted_before) code = tell_failure(result, code);
      end_jobs();
      if (main_.cluster != nullptr) tell_cluster(result);
    }
    // A job that is committing comes to its end, interrupted or not.
    if (!interrupted() || (code == exit_code::kDone && all_succeeded())) return code;
    tell("canceled");
    return exit_code::kCanceled;
  }

 private:
  // Main has returned 0: its jobs decide.
  int code_of_jobs() const {
    if (!InProcessBackend::instance().has_submitted())
      tell("main of " + main_.application + " has run no job");
    const std::optional<JobResult> failed = first_failed();
    if (!failed) return exit_code::kDone;
    if (!interrupted()) tell(JobFailed(failed->job_name, *failed->failure).what(), main_.verbose);
    return exit_code::kFailed;
  }

  int tell_failure(const MainResult& result, int code) const {
    const std::optional<JobResult> failed = first_failed();
    switch (result.outcome) {
      case FRESHET_MAIN_RETURNED:
        if (failed) tell(JobFailed(failed->job_name, *failed->failure).what(), main_.verbose);
        if (const std::string words = words_of(result); !words.empty()) tell("main " + words);
        return code;
      case FRESHET_MAIN_REFUSED:
        tell(as_text_of_failure(result.error), main_.verbose);
        return code;
      case FRESHET_MAIN_JOB_FAILED:
        tell(result.error, main_.verbose);
        return code;
      case FRESHET_MAIN_CANCELED:
        tell("canceled: " + result.error);
        return code;
      case FRESHET_MAIN_THREW:
        break;
    }
    // It may have thrown because nobody answered it any more, or nobody who knew of it.
    const std::string error = as_text_of_failure(result.error);
    if (InProcessBackend::instance().has_lost_records()) {
      tell("the job manager that main of " + main_.application + " had come to has gone: " + error,
           main_.verbose);
      return exit_code::kNoCluster;
    }
    if (main_.cluster != nullptr && !answers(*main_.cluster)) {
      tell("the cluster of main of " + main_.application + " does not answer any more: " + error,
           main_.verbose);
      return exit_code::kNoCluster;
    }
    tell("an exception left the main of " + main_.application + ": " + error, main_.verbose);
    return code;
  }

  // Those that run on are not wanted any more, since main has failed. A commit comes to its end:
  // else a part of it would be visible.
  void end_jobs() const {
    std::vector<std::shared_ptr<LocalJob>> canceled, committing;
    for (const auto& job : RunningJobs::instance().running()) {
      const bool stops = job->cancel();
      (stops ? canceled : committing).push_back(job);
      if (interrupted()) continue;
      tell("job '" + job->name() +
           (stops ? "' is canceled, because its main has failed"
                  : "' is committing and is not canceled any more, although its main has failed"));
    }
    // Code that neither returns nor awaits can't be stopped inside its process; it ends with that.
    const std::int64_t end_ms = clock_.now_ns() / 1'000'000 + patience_ms_;
    for (const auto& job : canceled) {
      const std::int64_t left = end_ms - clock_.now_ns() / 1'000'000;
      if (job->result().wait_for(left > 0 ? left : 0)) continue;
      tell("job '" + job->name() + "' does not end; left as it is");
      left_alone_ = true;
    }
    for (const auto& job : committing) job->result().wait();
  }

  static bool all_succeeded() {
    const std::vector<JobResult> results = RunningJobs::instance().ended();
    return !results.empty() &&
           std::all_of(results.begin(), results.end(),
                       [](const JobResult& result) { return result.succeeded(); });
  }

  // Of the jobs of this process that have ended.
  static std::optional<JobResult> first_failed() {
    for (const JobResult& result : RunningJobs::instance().ended())
      if (result.status == JobStatus::kFailed) return result;
    return std::nullopt;
  }

  static void tell_cluster(const MainResult& result) {
    InProcessBackend& backend = InProcessBackend::instance();
    backend.wait_for_submissions();
    MainEnd end;
    end.canceled = result.outcome == FRESHET_MAIN_CANCELED;
    if (const std::string words = words_of(result); !words.empty()) end.reason = "main " + words;
    backend.end_application(exit_code_of(result), end);
  }

 public:
  // A job still runs, so nothing of this process may be destroyed.
  bool left_alone() const { return left_alone_; }

 private:
  const Clock& clock_;
  const MainHere main_;
  const std::int64_t patience_ms_;
  std::optional<ProgressLine> progress_;
  mutable bool left_alone_ = false;
};

Course* course = nullptr;

int end(const MainResult& result) {
  const int code = code_with_output(course->end(result));
  if (course->left_alone()) {
    std::fflush(nullptr);
    ::_exit(code);
  }
  return code;
}

}  // namespace

int run_main_here(const Clock& clock, const LoadedApplication& loaded, const MainHere& main,
                  const Configuration& configuration) {
  static Course of_this_process(clock, main, configuration);  // exit() does not come back
  course = &of_this_process;
  set_exit_of_main([](int code) { return end({FRESHET_MAIN_RETURNED, code, {}}); });
  const MainResult result = run_main(loaded, main.application, main.arguments);
  set_exit_of_main(nullptr);
  return end(result);
}

int code_with_output(int code) {
  const std::string unwritten = unwritten_output();
  if (code != exit_code::kDone || unwritten.empty()) return code;
  tell(unwritten);
  return exit_code::kOutputLost;
}

}  // namespace freshet::tool
