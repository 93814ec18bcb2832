// What must hold in every workload, while it goes on and once it has ended.
#include <map>
#include <string>
#include <vector>

#include "watcher.h"
#include "workload.h"

namespace freshet::testing {
using namespace core;

namespace {

bool says_dropped(const std::exception& error) {
  return std::string(error.what()).rfind("there is no record any more of ", 0) == 0;
}

}  // namespace

void Workload::check_records() {
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) return;
  if (records_life_ != cluster_.job_manager_life()) {
    records_life_ = cluster_.job_manager_life();
    terminal_.clear();
  }
  const auto check = [this](const std::string& id, const std::string& status, bool is_terminal) {
    const auto before = terminal_.find(id);
    if (before != terminal_.end() && before->second != status) {
      cluster_.breach(id + " was " + before->second + " for good, and is " + status);
    }
    if (is_terminal) terminal_[id] = status;
  };
  for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
    check(application.id, name_of(application.status), is_terminal(application.status));
    for (const JobInfo& job : application.jobs) {
      if (is_terminal(application.status) && !is_terminal(job.status)) {
        cluster_.breach("application " + application.id + " has ended before its job " +
                        job.job_id);
      }
    }
  }
  for (const JobInfo& job : job_manager->dispatcher().jobs()) {
    check(job.job_id, name_of(job.status), is_terminal(job.status));
    check_what_failed(job);
  }
}

// What task managers do that end, are lost or can't start processes is not the job's: without a
// worker it fails only once it has tried for as long as it may.
void Workload::check_what_failed(const JobInfo& job) {
  if (job.status != JobStatus::kFailed || cluster_.has_begun_a_worker(job.job_id)) return;
  const std::int64_t tried_ms = job.ended_ms - job.since_ms;
  if (tried_ms >= kSlotRequestTimeoutMs) return;
  cluster_.breach("job " + job.job_id + " has failed after " + std::to_string(tried_ms) +
                  " ms though no worker of it was ever begun: " + job.detail);
}

void Workload::stop_faults() {
  heal();
  cluster_.rare_paths().stop();
  cluster_.run_until([] { return false; }, 200);
  cluster_.start_job_manager();
  for (const auto& [number, when] : task_managers_back_) cluster_.start_task_manager(number);
  task_managers_back_.clear();
  for (const auto& [number, when] : hosts_clear_) cluster_.let_start_workers(number, true);
  hosts_clear_.clear();
}

void Workload::end_all_work() {
  // Bounded work comes to its end by itself; endless work is canceled.
  constexpr std::int64_t kLongMs = 15'000;
  cluster_.run_until([] { return false; }, kLongMs);
  follow_up();
  const std::size_t last = add_client();
  check_mains_that_failed();
  std::vector<std::string> endless;
  if (JobManager* job_manager = cluster_.job_manager()) {
    for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
      if (!is_terminal(application.status)) endless.push_back(application.id);
    }
  }
  for (const std::string& id : endless) {
    const auto ignored = clients_[last].cluster->cancel_application(id);
    static_cast<void>(ignored);
  }
  const auto all_told = [this] {
    follow_up();
    JobManager* job_manager = cluster_.job_manager();
    if (!job_manager || !job_manager->dispatcher().idle()) return false;
    for (const Application& application : applications_) {
      if (clients_[application.client].gone) continue;
      if (!is_told(application.accepted)) return false;
      if (application.end.valid() && !application.end.ready()) return false;
    }
    for (const Job& job : jobs_) {
      if (!clients_[job.client].gone && !is_told(job.end)) return false;
    }
    return mains_are_told();
  };
  constexpr std::int64_t kAtMostMs = 120'000;
  if (cluster_.run_until(all_told, kAtMostMs)) {
    cluster_.run_for(2'000);  // events that are under way arrive
    return;
  }
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) {
    cluster_.breach("there is no job manager at the end");
    return;
  }
  for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
    if (!is_terminal(application.status)) {
      cluster_.breach("application " + application.id + " does not end: it is " +
                      name_of(application.status));
    }
    for (const JobInfo& job : application.jobs) {
      if (!is_terminal(job.status)) {
        cluster_.breach("job " + job.job_id + " does not end: it is " + name_of(job.status) + ": " +
                        job.detail);
      }
    }
  }
  if (!job_manager->dispatcher().idle()) cluster_.breach("something of what has ended still runs");
  for (const Application& application : applications_) {
    if (clients_[application.client].gone) continue;
    if (!is_told(application.accepted)) {
      cluster_.breach(clients_[application.client].name + " is never told whether " +
                      application.id + " is accepted");
    } else if (application.end.valid() && !application.end.ready()) {
      cluster_.breach(clients_[application.client].name + " is never told the end of " +
                      application.id);
    }
  }
  for (const Job& job : jobs_) {
    if (!clients_[job.client].gone && !is_told(job.end)) {
      cluster_.breach(clients_[job.client].name + " is never told the end of job " + job.id);
    }
  }
}

void Workload::check_told() {
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) return;
  const std::uint64_t life = cluster_.job_manager_life();
  std::map<std::string, ApplicationInfo> applications;
  std::map<std::string, JobInfo> jobs;
  for (ApplicationInfo& info : job_manager->dispatcher().applications()) {
    ++ends_[std::string("application ") + name_of(info.status)];
    applications[info.id] = std::move(info);
  }
  for (JobInfo& info : job_manager->dispatcher().jobs()) {
    ++ends_[std::string("job ") + name_of(info.status)];
    jobs[info.job_id] = std::move(info);
  }
  std::map<std::string, int> accepted;
  for (const Application& application : applications_) {
    if (clients_[application.client].gone || !is_told(application.accepted)) continue;
    std::string refused;
    try {
      static_cast<void>(application.accepted.get());
    } catch (const std::exception& error) {
      refused = error.what();
    }
    if (!refused.empty()) {
      // It may have been sent to a job manager whose silent end the client had not noticed.
      const bool sent_to_the_one_before =
          life > 1 && refused.find("has restarted during") != std::string::npos;
      if (!application.twin && application.life == life && !sent_to_the_one_before) {
        cluster_.breach("application " + application.id + " was refused: " + refused);
      }
      continue;
    }
    if (application.life == life) ++accepted[application.id];
    const bool dropped = job_manager->dispatcher().has_dropped(application.id);
    if (application.life == life && !applications.count(application.id) && !dropped) {
      cluster_.breach("application " + application.id + " was accepted, and is not there");
    }
    try {
      if (!is_told(application.end)) continue;
      const ApplicationInfo told = application.end.get();
      const auto record = applications.find(application.id);
      // The twin may have come to the next job manager, which does not know of the first one.
      const bool of_another = application.twin && life > 1;
      if (record != applications.end() && !of_another && record->second.status != told.status) {
        cluster_.breach("a client was told that " + told.id + " is " + name_of(told.status) +
                        ", the record has " + name_of(record->second.status));
      }
    } catch (const std::exception& error) {
      if (application.life == life && !(dropped && says_dropped(error))) {
        cluster_.breach("the end of " + application.id + " was not told: " + error.what());
      }
    }
  }
  for (const auto& [id, times] : accepted) {
    if (times > 1) cluster_.breach("application " + id + " was accepted twice");
  }
  for (const Job& job : jobs_) {
    if (clients_[job.client].gone || !is_told(job.end)) continue;
    try {
      const JobResult told = job.end.get();
      const auto record = jobs.find(job.id);
      if (record != jobs.end() && record->second.status != told.status) {
        cluster_.breach("a client was told that job " + job.id + " is " + name_of(told.status) +
                        ", the record has " + name_of(record->second.status));
      }
      const auto subtasks = told.accumulators.find("subtasks");
      if (told.succeeded() &&
          (subtasks == told.accumulators.end() || subtasks->second.count != job.parallelism)) {
        cluster_.breach("job " + job.id + " has finished without the last word of all workers");
      }
    } catch (const std::exception& error) {
      const std::string said = error.what();
      const bool sent_to_the_one_before =
          life > 1 && said.find("has restarted during") != std::string::npos;
      const bool dropped = job_manager->dispatcher().has_dropped(job.id) && says_dropped(error);
      if (job.life == life && !sent_to_the_one_before && !dropped) {
        cluster_.breach("job " + job.id + ": " + said);
      }
    }
  }
  for (const Client& client : clients_) {
    if (client.gone) continue;
    for (const auto& [id, event] : client.watcher->last()) {
      std::string status;
      if (const auto found = jobs.find(id); found != jobs.end()) {
        status = name_of(found->second.status);
      } else if (const auto other = applications.find(id); other != applications.end()) {
        status = name_of(other->second.status);
      }
      if (!status.empty() && status != event.status) {
        cluster_.breach(client.name + " was last told that " + id + " is " + event.status +
                        ", the record has " + status);
      }
    }
  }
  if (applications.size() > records_.applications || jobs.size() > records_.jobs) {
    cluster_.breach("there are records of " + std::to_string(applications.size()) +
                    " applications and " + std::to_string(jobs.size()) + " jobs, the limits are " +
                    std::to_string(records_.applications) + " and " +
                    std::to_string(records_.jobs));
  }
  if (!job_manager->resources().held().empty()) {
    cluster_.breach("slots are still held, first by " +
                    job_manager->resources().held().begin()->second);
  }
  if (cluster_.processes("worker") + cluster_.processes("runner") > 0) {
    cluster_.breach("there are still " + std::to_string(cluster_.processes("worker")) +
                    " workers and " + std::to_string(cluster_.processes("runner")) + " runners");
  }
}

void Workload::shut_down() {
  const std::uint64_t ends = cluster_.job_manager_ends();
  const std::size_t one = add_client();
  const std::size_t other = add_client();
  const auto first = clients_[one].cluster->shut_down();
  const auto second = clients_[other].cluster->shut_down();
  constexpr std::int64_t kAtMostMs = 60'000;
  const auto ended = [this] { return cluster_.processes() == cluster_.processes("client"); };
  if (!cluster_.run_until(ended, kAtMostMs)) {
    cluster_.breach("after the shut down there are still " + std::to_string(cluster_.processes()) +
                    " processes");
  }
  cluster_.run_until([&] { return first.ready() && second.ready(); }, kAtMostMs);
  if (!first.ready() || !second.ready()) cluster_.breach("a shut down was not answered");
  if (cluster_.job_manager_ends() != ends + 1) {
    cluster_.breach("the job manager has ended " +
                    std::to_string(cluster_.job_manager_ends() - ends) + " times");
  }
  for (const Client& client : clients_) {
    if (!client.gone) cluster_.end_client(client.name);
  }
  // Handles of jobs belong to processes that end now.
  jobs_.clear();
  applications_.clear();
  mains_.clear();
  cluster_.run_until([this] { return cluster_.processes() == 0; }, 1'000);
  if (cluster_.network().connections() + cluster_.network().listeners() > 0) {
    cluster_.breach("connections or listeners are left");
  }
}

}  // namespace freshet::testing
