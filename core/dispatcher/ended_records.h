// Which records of what has ended are kept, and what is remembered of those that are not: enough to
// answer a submission that comes a second time, and to say what became of an id.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "control/recent.h"
#include "freshet/api.h"

namespace freshet::core {

struct RecordLimits {
  std::size_t applications = 64;                         // jobmanager.records.max-applications
  std::size_t jobs = 1'000;                              // jobmanager.records.max-jobs
  std::int64_t age_ms = std::int64_t{7} * 24 * 3600000;  // jobmanager.records.max-age
};

// Of one kind: applications or jobs.
class FRESHET_API EndedRecords {
 public:
  struct Dropped {
    std::string ticket, name, application_id;
  };
  // Of the last so many whose records were dropped.
  static constexpr std::size_t kRemembered = 256;

  EndedRecords(std::size_t most, std::int64_t age_ms) : most_(most), age_ms_(age_ms) {}

  // It has ended, and nothing of it is left but its record.
  void add(const std::string& id, std::int64_t now_ms);
  // The oldest one, if it is kept no longer; else "".
  std::string due(std::int64_t now_ms) const;
  // When the next one is due by its age alone; -1: there is none.
  std::int64_t next_ms() const { return kept_.empty() ? -1 : kept_.front().since_ms + age_ms_; }
  // Its record is gone.
  void drop(const std::string& id, Dropped what);
  bool has_dropped() const { return !dropped_.empty(); }
  const Dropped* dropped(const std::string& id) const { return dropped_.find(id); }

 private:
  struct Kept {
    std::string id;
    std::int64_t since_ms;
  };
  const std::size_t most_;
  const std::int64_t age_ms_;
  std::deque<Kept> kept_;  // in the order of their ends
  Recent<Dropped> dropped_{kRemembered};
};

}  // namespace freshet::core
