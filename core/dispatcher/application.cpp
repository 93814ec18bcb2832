#include "dispatcher/application.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <filesystem>

#include "bounds/bounds.h"
#include "dispatcher/application_states.h"
#include "freshet/plugin/file_system.h"

namespace freshet::core {

ArtifactFetcher::~ArtifactFetcher() = default;

Application::Application(RunnerServices& services, std::string id, std::string name,
                         std::string ticket, Main main, ApplicationListener& listener)
    : services_(services),
      id_(std::move(id)),
      name_(cut_to(kMostNameBytes, std::move(name))),
      ticket_(std::move(ticket)),
      main_(main),
      listener_(listener),
      status_(main == Main::kRunner ? ApplicationStatus::kCreated : ApplicationStatus::kRunning),
      since_ms_(services.thread.clock().wall_ms()),
      end_(promise_.future()) {
  spdlog::info("application '{}' ({}) is created", name_, id_);
  if (main_ == Main::kNone) {
    main_state_ = MainState::kReturned;
  } else if (main_ == Main::kClient) {
    main_state_ = MainState::kRuns;
  }
}

Application::~Application() {
  alive_.end();
  *wants_files_ = false;
  stop_waiting_for_client();
  if (runner_) services_.spawner.kill(*runner_);
}

// ---- main in a runner ---------------------------------------------------------------------------

void Application::start(SubmitApplication submission) {
  assert(main_ == Main::kRunner);
  listener_.application_changed(*this);
  submission_ = std::move(submission);
  to_fetch_.assign(submission_.shipped.rbegin(), submission_.shipped.rend());
  to_fetch_.push_back(submission_.main);
  fetch_next();
}

void Application::fetch_next() {
  if (canceled_) return;
  try {
    while (!to_fetch_.empty()) {
      const WireArtifact artifact = to_fetch_.back();
      if (!artifact.url.empty()) {
        // A fetcher may complete elsewhere; what follows belongs to the control thread.
        reason_ = cut_to(kMostListedBytes, "fetching '" + shown_url(artifact.url) + "'");
        listener_.application_changed(*this);
        const auto fetched = services_.fetcher.fetch(
            artifact, files_.empty() ? ArtifactUse::kMain : ArtifactUse::kShipped, wants_files_);
        auto go_on = alive_.guard([this, artifact](const Future<std::string>& done) {
          if (canceled_ || has_ended()) return;
          const std::string error = error_of(done);
          if (!error.empty()) {
            main_failed(error);
            return;
          }
          files_.push_back({done.get(), artifact.name, ModuleKind::kShipped});
          to_fetch_.pop_back();
          fetch_next();
        });
        const auto ignored =
            fetched.then([&thread = services_.thread, go_on](const Future<std::string>& done) {
              thread.post("application: fetched", [go_on, done]() mutable { go_on(done); });
            });
        static_cast<void>(ignored);
        return;
      }
      if (!services_.blobs.has(artifact.sha256)) {
        throw InvalidInput("file '" + artifact.name + "' (sha256 " + artifact.sha256 +
                           ") has not been uploaded: put it as a blob first");
      }
      files_.push_back({artifact.sha256, artifact.name, ModuleKind::kShipped});
      to_fetch_.pop_back();
    }
    spawn();
  } catch (const std::exception& error) {
    main_failed(error.what());
  }
}

void Application::spawn() {
  RunnerStart start;
  start.cluster_id = services_.cluster_id;
  start.job_manager = services_.job_manager;
  const KeyPair keys = services_.ids.draw_keys();
  runner_key_ = keys.public_key;
  start.secret_key = keys.secret_key;
  start.application_id = id_;
  start.name = name_;
  start.folder = std::filesystem::path(services_.blobs.place(files_).at(files_.front().sha256))
                     .parent_path()
                     .native();
  start.main = files_.front().name;
  for (std::size_t i = 1; i < files_.size(); ++i) start.shipped.push_back(files_[i].name);
  start.arguments = std::move(submission_.arguments);
  start.settings = std::move(submission_.settings);
  start.settings.insert(services_.settings.begin(), services_.settings.end());
  submission_ = {};
  services_.transport.admit(runner_key_, Role::kRunner);
  main_state_ = MainState::kRuns;
  enter(ApplicationStatus::kRunning, "main begins");
  runner_ =
      services_.spawner.spawn(runner_process(services_.program, start),
                              alive_.guard([this](const ProcessEnd& end) { main_ended(end); }));
}

void Application::main_ended(const ProcessEnd& end) {
  runner_.reset();
  services_.transport.expel(runner_key_);
  exit_code_ = end.exit_code;
  signal_ = end.signal;
  main_is_over(main_end_of(end));
}

void Application::main_is_over(const MainEnd& main) {
  if (main.returned_zero) {
    spdlog::info("main of application '{}' ({}) has returned", name_, id_);
    main_state_ = MainState::kReturned;
    settle();
  } else if (main.canceled) {
    main_canceled(main.reason);
  } else {
    main_failed(main.reason);
  }
}

void Application::main_canceled(const std::string& reason) {
  main_state_ = MainState::kReturned;
  if (canceled_) {
    settle();
    return;
  }
  auto job = canceled_job(/*by_main=*/false);
  if (!job) job = canceled_job(/*by_main=*/true);
  cancel(job ? "job '" + *job + "' was canceled" : reason);
}

void Application::main_failed(const std::string& reason) {
  main_state_ = MainState::kFailed;
  if (!canceled_) {
    reason_ = cut_to(kMostFailureBytes, reason);
    spdlog::warn("application '{}' ({}): {}", name_, id_, reason_);
    cancel_jobs("its application has failed: " + reason_);
  }
  settle();
}

// ---- jobs ---------------------------------------------------------------------------------------

std::string Application::refuses_jobs() const {
  if (has_ended()) return "application '" + id_ + "' has ended: it is " + name_of(status_);
  if (canceled_) return "application '" + id_ + "' is being canceled";
  if (main_state_ == MainState::kFailed) {
    return "main of application '" + id_ + "' has failed: " + reason_;
  }
  return "";
}

void Application::add(JobMaster& job) {
  assert(refuses_jobs().empty());
  jobs_.push_back(&job);
}

void Application::add_files(std::set<std::string>& to) const {
  for (const JobModule& file : files_) to.insert(file.sha256);
  for (const WireArtifact& artifact : to_fetch_) {
    if (!artifact.sha256.empty()) to.insert(artifact.sha256);
  }
}

void Application::job_ended_before(const JobInfo& job, bool canceled_by_main) {
  if (job.status == JobStatus::kFailed && !failed_before_) failed_before_ = job.detail;
  auto& canceled = canceled_by_main ? canceled_by_main_before_ : canceled_before_;
  if (job.status == JobStatus::kCanceled && !canceled) canceled = job.job_name;
}

void Application::main_was_lost() {
  if (failed_before_) return;
  failed_before_ =
      "its main ended with the job manager that ran it, and whether it had returned is not known: "
      "its jobs were started anew and have ended, run it again for what it had still to do";
}

void Application::forget(const JobMaster& job) {
  assert(job.has_ended());
  std::erase(jobs_, &job);
  job_ended_before(job.info(), job.was_canceled_by_main());
}

void Application::job_ended(JobMaster& job) {
  assert(std::find(jobs_.begin(), jobs_.end(), &job) != jobs_.end());
  static_cast<void>(job);
  settle();
}

bool Application::all_jobs_ended() const {
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const JobMaster* job) { return job->has_ended(); });
}

const JobMaster* Application::first_failed() const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [](const JobMaster* job) {
    return job->status() == JobStatus::kFailed;
  });
  return found == jobs_.end() ? nullptr : *found;
}

std::optional<std::string> Application::canceled_job(bool by_main) const {
  const auto& before = by_main ? canceled_by_main_before_ : canceled_before_;
  if (before) return before;
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [by_main](const JobMaster* job) {
    return job->status() == JobStatus::kCanceled && job->was_canceled_by_main() == by_main;
  });
  return found == jobs_.end() ? std::nullopt : std::optional<std::string>((*found)->name());
}

void Application::cancel_jobs(const std::string& reason) {
  const std::vector<JobMaster*> jobs = jobs_;
  for (JobMaster* job : jobs) job->cancel(reason);
}

void Application::cancel(const std::string& reason) {
  if (has_ended() || canceled_ || main_state_ == MainState::kFailed) return;
  canceled_ = true;
  *wants_files_ = false;
  enter(ApplicationStatus::kCanceling, reason);
  cancel_jobs(reason);
  settle();
}

// ---- what becomes of it -------------------------------------------------------------------------

void Application::settle() {
  if (has_ended() || !all_jobs_ended()) return;
  if (canceled_) {
    if (runner_) {
      services_.spawner.kill(*runner_);  // main_ended() follows
      return;
    }
    enter(ApplicationStatus::kCanceled, reason_);
    return;
  }
  if (main_state_ == MainState::kFailed) {
    enter(ApplicationStatus::kFailed, reason_);
    return;
  }
  if (main_state_ != MainState::kReturned || (main_ == Main::kNone && jobs_.empty())) return;
  if (failed_before_) {
    enter(ApplicationStatus::kFailed, *failed_before_);
    return;
  }
  if (const JobMaster* failed = first_failed()) {
    enter(ApplicationStatus::kFailed, failed->info().detail);
  } else if (const auto canceled = canceled_job(/*by_main=*/false)) {
    enter(ApplicationStatus::kCanceled, "job '" + *canceled + "' was canceled");
  } else {
    enter(ApplicationStatus::kFinished, "");
  }
}

void Application::enter(ApplicationStatus status, const std::string& reason) {
  const ApplicationStatus before = status_;
  move_state("application '" + name_ + "' (" + id_ + ")", status_, status);
  const std::string why = cut_to(kMostFailureBytes, reason);
  spdlog::info("application '{}' ({}) goes from {} to {}{}{}", name_, id_, name_of(before),
               name_of(status), why.empty() ? "" : ": ", why);
  reason_ = status == ApplicationStatus::kRunning ? "" : why;
  if (has_ended()) {
    ended_ms_ = services_.thread.clock().wall_ms();
    stop_waiting_for_client();
  }
  listener_.application_changed(*this);
  if (!has_ended()) return;
  listener_.application_ended(*this);
  promise_.set_value(info());
}

ApplicationInfo Application::info() const {
  ApplicationInfo info;
  info.id = id_;
  info.name = name_;
  info.status = status_;
  info.reason = reason_;
  info.exit_code = exit_code_;
  info.signal = signal_;
  info.since_ms = since_ms_;
  info.ended_ms = ended_ms_;
  if (jobs_.size() > kMostListedJobs) info.jobs_left_out = jobs_.size() - kMostListedJobs;
  for (std::size_t i = info.jobs_left_out; i < jobs_.size(); ++i) {
    info.jobs.push_back(listed(jobs_[i]->info()));
  }
  return info;
}

}  // namespace freshet::core
