// The line on a terminal that tells how the jobs are doing. Elsewhere: silence.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "clock/clock.h"
#include "freshet/cluster_client.h"
#include "freshet/job_client.h"

namespace freshet::tool {
using namespace core;

class ProgressLine {
 public:
  // Writes to standard error, if that is a terminal, every `interval_ms`.
  explicit ProgressLine(std::int64_t interval_ms);
  // Takes the line away.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void run(std::int64_t interval_ms);

  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

// The same of an application on a cluster; shown by whoever waits for it.
class ClusterProgress {
 public:
  // Clock and client outlive it.
  ClusterProgress(const Clock& clock, ClusterClient& client, std::string application,
                  std::int64_t interval_ms);
  ~ClusterProgress();
  ClusterProgress(const ClusterProgress&) = delete;
  ClusterProgress& operator=(const ClusterProgress&) = delete;
  // Nothing unless the interval is over.
  void show();

 private:
  const Clock& clock_;
  ClusterClient& client_;
  const std::string application_;
  const std::int64_t interval_ms_;
  std::int64_t last_ms_;
  std::map<std::string, JobDetails> before_;
  bool shown_ = false;
};

}  // namespace freshet::tool
