#include "dispatcher/earlier_jobs.h"

namespace freshet {

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

}  // namespace freshet
