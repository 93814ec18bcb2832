#include "child_job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <regex>
#include <thread>

#include "freshet/error.h"

namespace child_executor {

namespace {

// What fr-run returns.
constexpr int kFinished = 0;
constexpr int kCanceled = 130;

// From what fr-run says of a job that failed: "fr-run: job 'words' failed: operator 'map' (subtask
// 1) at record 7: the text". What is not of that form is all text.
freshet::FailureInfo failure_in(const std::string& said) {
  static const std::regex form(
      "operator '(.*?)' \\(subtask ([0-9]{1,9})\\)(?: at record ([0-9]{1,18}))?: ");
  freshet::FailureInfo failure;
  std::smatch found;
  if (said.find("fr-run: job '") != std::string::npos && std::regex_search(said, found, form)) {
    failure.operator_name = found[1];
    failure.subtask = static_cast<std::uint32_t>(std::stoul(found[2]));
    if (found[3].matched) failure.record = std::stoull(found[3]);
    failure.message = found.suffix();
  } else {
    failure.message = "in its process: " + said;
  }
  while (!failure.message.empty() && failure.message.back() == '\n') failure.message.pop_back();
  return failure;
}

class ChildClient final : public freshet::JobClient {
 public:
  explicit ChildClient(std::shared_ptr<ChildJob> job) : job_(std::move(job)) {}
  const std::string& job_id() const override { return job_->id(); }
  const std::string& job_name() const override { return job_->name(); }
  freshet::Future<freshet::JobStatus> status() override {
    return freshet::make_ready_future(job_->status());
  }
  freshet::Future<freshet::JobResult> result() override { return job_->result(); }
  freshet::Future<void> cancel() override {
    job_->cancel();
    return freshet::make_ready_future();
  }
  freshet::Future<freshet::AccumulatorValues> accumulators() override {
    return refused<freshet::AccumulatorValues>("accumulators");
  }
  freshet::Future<freshet::JobDetails> details() override {
    freshet::JobDetails details;
    details.job_id = job_->id();
    details.job_name = job_->name();
    details.status = job_->status();
    return freshet::make_ready_future(details);
  }
  freshet::Future<std::string> stop(const std::string&, bool) override {
    return refused<std::string>("stop");
  }
  freshet::Future<std::string> savepoint(const std::string&) override {
    return refused<std::string>("savepoint");
  }
  freshet::Future<std::optional<std::string>> next_result(const std::string&) override {
    return refused<std::optional<std::string>>("execute_and_collect");
  }

 private:
  template <class T>
  freshet::Future<T> refused(const char* call) const {
    return freshet::make_failed_future<T>(std::make_exception_ptr(
        freshet::Error(std::string(call) + " of job '" + job_->name() +
                       "' is not supported by the target 'child': use the target 'local'")));
  }

  const std::shared_ptr<ChildJob> job_;
};

}  // namespace

ChildJob::ChildJob(std::string id, std::string name, std::string plan)
    : id_(std::move(id)),
      name_(std::move(name)),
      plan_(std::move(plan)),
      result_(promise_.future()) {}

std::shared_ptr<ChildJob> ChildJob::start(std::string job_id, std::string job_name,
                                          const std::vector<std::string>& command,
                                          std::string plan) {
  std::shared_ptr<ChildJob> job(
      new ChildJob(std::move(job_id), std::move(job_name), std::move(plan)));
  freshet::Promise<void> started;
  const freshet::Future<void> has_started = started.future();
  std::thread([job, command, started = std::move(started)]() mutable {
    job->run(command, std::move(started));
  }).detach();
  has_started.get();
  return job;
}

void ChildJob::run(const std::vector<std::string>& command, freshet::Promise<void> started) {
  int errors[2];
  if (::pipe2(errors, O_CLOEXEC) != 0) errors[0] = errors[1] = -1;
  std::exception_ptr failed;
  try {
    start_child(command, errors[1]);
  } catch (...) {
    failed = std::current_exception();
  }
  ::close(errors[1]);
  if (failed) {
    ::close(errors[0]);
    std::remove(plan_.c_str());
    started.set_error(failed);
    return;
  }
  started.set_value();
  watch(errors[0]);
}

void ChildJob::start_child(const std::vector<std::string>& command, int errors) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int outcome[2];  // says why exec failed; closed by one that did not
  if (::pipe2(outcome, O_CLOEXEC) != 0) {
    throw freshet::Error(std::string("no pipe for a child process: ") + std::strerror(errno) +
                         ": allow this process more open files (ulimit -n)");
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Nothing but calls of the system from here on. SIGTERM is how fr-run is told to cancel; what
    // this process ignores, as one in the background of a script does SIGINT, it must not.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(errors, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    const int why = errno;
    static_cast<void>(!::write(outcome[1], &why, sizeof why));
    ::_exit(1);
  }
  ::close(outcome[1]);
  int why = child < 0 ? errno : 0;
  if (child > 0 && ::read(outcome[0], &why, sizeof why) > 0) ::waitpid(child, nullptr, 0);
  ::close(outcome[0]);
  if (why != 0) {
    throw freshet::Error("the program '" + command[0] +
                         "' of the target 'child' can't be started: " + std::strerror(why) +
                         ": set child.fr-run to the path of fr-run");
  }
  const std::lock_guard lock(mutex_);
  child_ = child;
}

void ChildJob::watch(int errors) {
  std::string said;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(errors, buffer, sizeof buffer);
    if (got > 0) {
      said.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  ::close(errors);
  int state = 0;
  const pid_t child = child_;
  // Not reaped yet, so that cancel() can't hit another process of that number.
  siginfo_t ignored;
  while (::waitid(P_PID, static_cast<id_t>(child), &ignored, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  freshet::JobResult result;
  result.job_id = id_;
  result.job_name = name_;
  {
    const std::lock_guard lock(mutex_);
    ::waitpid(child, &state, 0);
    child_ = 0;
    const bool exited = WIFEXITED(state);
    if (exited && WEXITSTATUS(state) == kFinished) {
      status_ = freshet::JobStatus::kFinished;
    } else if (status_ == freshet::JobStatus::kCanceling ||
               (exited && WEXITSTATUS(state) == kCanceled)) {
      status_ = freshet::JobStatus::kCanceled;
    } else {
      status_ = freshet::JobStatus::kFailed;
      freshet::FailureInfo failure = failure_in(said);
      if (!exited) {
        failure = {};
        failure.message = "its process was ended by signal " + std::to_string(WTERMSIG(state));
      }
      result.failure = failure;
    }
    result.status = status_;
  }
  std::remove(plan_.c_str());
  using Milliseconds = std::chrono::milliseconds;
  result.duration_ms =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_).count();
  promise_.set_value(std::move(result));
}

freshet::JobStatus ChildJob::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void ChildJob::cancel() {
  const std::lock_guard lock(mutex_);
  if (child_ == 0 || status_ != freshet::JobStatus::kRunning) return;
  status_ = freshet::JobStatus::kCanceling;
  ::kill(child_, SIGTERM);
}

std::unique_ptr<freshet::JobClient> client_of(std::shared_ptr<ChildJob> job) {
  return std::make_unique<ChildClient>(std::move(job));
}

}  // namespace child_executor
