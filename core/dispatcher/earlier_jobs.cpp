#include "dispatcher/earlier_jobs.h"

#include <algorithm>

#include "bounds/bounds.h"

namespace freshet::core {

void EarlierJobs::add(KeptResult result, std::uint64_t number, std::int64_t now_ms) {
  const std::string id = result.result.job_id;
  const auto [added, is_new] = by_id_.emplace(id, Entry{std::move(result), number});
  if (!is_new) return;
  all_.emplace(number, &added->second.result);
  ends_.add(id, now_ms);
}

const KeptResult* EarlierJobs::find(const std::string& job_id) const {
  const auto found = by_id_.find(job_id);
  return found == by_id_.end() ? nullptr : &found->second.result;
}

std::vector<const KeptResult*> EarlierJobs::of_application(const std::string& id) const {
  std::vector<const KeptResult*> jobs;
  for (const auto& [number, job] : all_) {
    if (job->application_id == id) jobs.push_back(job);
  }
  return jobs;
}

ApplicationInfo EarlierJobs::application_of(const std::vector<const KeptResult*>& jobs) {
  ApplicationInfo info;
  info.id = jobs.front()->application_id;
  info.name = jobs.front()->application_name;
  info.status = ApplicationStatus::kFinished;
  info.reason =
      "all its jobs have finished; whether its main had more to do is not known, because the job "
      "manager that knew has ended";
  info.since_ms = jobs.front()->since_ms;
  for (const KeptResult* job : jobs) {
    info.jobs.push_back(listed(job->info()));
    info.since_ms = std::min(info.since_ms, job->since_ms);
    info.ended_ms = std::max(info.ended_ms, job->ended_ms);
    const bool failed = job->result.status == JobStatus::kFailed;
    const bool canceled = job->result.status == JobStatus::kCanceled && !job->canceled_by_main;
    if (failed && info.status != ApplicationStatus::kFailed) {
      info.status = ApplicationStatus::kFailed;
      info.reason = job->detail;
    } else if (canceled && info.status == ApplicationStatus::kFinished) {
      info.status = ApplicationStatus::kCanceled;
      info.reason = "job '" + job->result.job_name + "' was canceled";
    }
  }
  return info;
}

JobDetails EarlierJobs::details_of(const KeptResult& job) {
  JobDetails details;
  details.job_id = job.result.job_id;
  details.job_name = job.result.job_name;
  details.status = job.result.status;
  details.running_ms = job.result.duration_ms;
  return details;
}

void EarlierJobs::drop(const std::string& job_id) {
  const auto found = by_id_.find(job_id);
  if (found == by_id_.end()) return;
  const KeptResult& job = found->second.result;
  ends_.drop(job_id, {job.ticket, job.result.job_name, job.application_id});
  all_.erase(found->second.number);
  by_id_.erase(found);
}

}  // namespace freshet::core
