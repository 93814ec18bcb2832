#include "dispatcher/earlier_jobs.h"

#include <algorithm>

namespace freshet {

void EarlierJobs::add(KeptResult result, std::int64_t now_ms) {
  const std::string id = result.result.job_id;
  if (by_id_.emplace(id, std::move(result)).second) ends_.add(id, now_ms);
}

const KeptResult* EarlierJobs::find(const std::string& job_id) const {
  const auto found = by_id_.find(job_id);
  return found == by_id_.end() ? nullptr : &found->second;
}

std::vector<JobInfo> EarlierJobs::infos() const {
  std::vector<JobInfo> infos;
  for (const auto& [id, job] : by_id_) infos.push_back(job.info());
  std::stable_sort(infos.begin(), infos.end(),
                   [](const JobInfo& a, const JobInfo& b) { return a.ended_ms < b.ended_ms; });
  return infos;
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
  ends_.drop(job_id,
             {found->second.ticket, found->second.result.job_name, found->second.application_id});
  by_id_.erase(found);
}

}  // namespace freshet
