// The line on a terminal that tells how the jobs are doing. Elsewhere: silence.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace freshet::tool {

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

}  // namespace freshet::tool
