#include "progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "backend/running_jobs.h"
#include "freshet/error.h"

namespace freshet::tool {
using namespace core;

namespace {

// 1234567 as "1.23 M".
std::string short_number(double value) {
  const char* units[] = {"", " k", " M", " G", " T"};
  int unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.3g%s", value, units[unit]);
  return text;
}

void show_line(JobDetails now, std::map<std::string, JobDetails>& before) {
  const JobDetails& last = before[now.job_id];
  const double seconds = static_cast<double>(now.running_ms - last.running_ms) / 1e3;
  const double rate =
      seconds > 0 ? static_cast<double>(now.source_records - last.source_records) / seconds : 0;
  std::fprintf(stderr, "\r\033[K%s: %s, %s records in, %s out, %s/s, %.1f s", now.job_name.c_str(),
               name_of(now.status), short_number(static_cast<double>(now.source_records)).c_str(),
               short_number(static_cast<double>(now.sink_records)).c_str(),
               short_number(rate).c_str(), static_cast<double>(now.running_ms) / 1e3);
  std::fflush(stderr);
  before[now.job_id] = std::move(now);
}

}  // namespace

ProgressLine::ProgressLine(std::int64_t interval_ms) {
  if (interval_ms <= 0 || ::isatty(STDERR_FILENO) == 0) return;
  thread_ = std::thread([this, interval_ms] { run(interval_ms); });
}

ProgressLine::~ProgressLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void ProgressLine::run(std::int64_t interval_ms) {
  std::map<std::string, JobDetails> before;
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (
      !stopped_.wait_for(lock, std::chrono::milliseconds(interval_ms), [this] { return stop_; })) {
    for (const auto& job : RunningJobs::instance().running()) {
      show_line(job->details(), before);
      shown = true;
    }
  }
  if (shown) std::fputs("\r\033[K", stderr);
}

ClusterProgress::ClusterProgress(const Clock& clock, ClusterClient& client, std::string application,
                                 std::int64_t interval_ms)
    : clock_(clock),
      client_(client),
      application_(std::move(application)),
      interval_ms_(::isatty(STDERR_FILENO) != 0 ? interval_ms : 0),
      last_ms_(clock.now_ns() / 1'000'000) {}

ClusterProgress::~ClusterProgress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void ClusterProgress::show() {
  const std::int64_t now_ms = clock_.now_ns() / 1'000'000;
  if (interval_ms_ <= 0 || now_ms < last_ms_ + interval_ms_) return;
  last_ms_ = now_ms;
  try {
    const auto info = client_.application(application_).get_for(interval_ms_);
    if (!info) return;
    for (const JobInfo& job : info->jobs) {
      if (is_terminal(job.status)) continue;
      const auto details = client_.job(job.job_id)->details().get_for(interval_ms_);
      if (!details) continue;
      show_line(*details, before_);
      shown_ = true;
    }
  } catch (const Error&) {
    return;  // whoever waits for the end is told
  }
}

}  // namespace freshet::tool
