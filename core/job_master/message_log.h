// What a job has to say, kept for those who come late, and ended with the job: the last kKept
// messages, fewer if they have more than kKeptBytes.
//
// Threads    Any. add() and end() call nobody: publish() hands out what they have brought, and is
//            called where no lock is held.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/future.h"
#include "freshet/job_client.h"

namespace freshet::core {

class FRESHET_API MessageLog {
 public:
  static constexpr std::size_t kKept = 1'000;
  static constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

  // The clock outlives it.
  explicit MessageLog(const Clock& clock) : clock_(clock) {}

  // Numbers it and sets its time. Nothing after end().
  void add(JobMessage message);
  void end();
  void publish();
  // As JobClient::next_message() has it.
  Future<std::optional<JobMessage>> next(std::uint64_t after);

 private:
  struct Reader {
    std::uint64_t after;
    Promise<std::optional<JobMessage>> promise;
  };
  // Null if there is none yet.
  const JobMessage* first_after(std::uint64_t after) const;

  const Clock& clock_;
  std::mutex mutex_;
  std::deque<JobMessage> messages_;
  std::size_t bytes_ = 0;  // of their texts
  std::uint64_t last_ = 0;
  bool ended_ = false;
  std::vector<Reader> readers_;  // wait for what has not been said yet
};

}  // namespace freshet::core
