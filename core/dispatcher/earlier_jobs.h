// The jobs that ended under earlier leaders of the cluster, as their stored results tell of them.
// They are kept as RecordLimits say, counted from the time at which this leader began.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dispatcher/ended_records.h"
#include "freshet/api.h"
#include "high_availability/kept_jobs.h"

namespace freshet::core {

class FRESHET_API EarlierJobs {
 public:
  explicit EarlierJobs(const RecordLimits& limits) : ends_(limits.jobs, limits.age_ms) {}

  struct Entry {
    KeptResult result;
    std::uint64_t number;  // its place in lists
  };
  // In the order of their ends, numbered so.
  void add(KeptResult result, std::uint64_t number, std::int64_t now_ms);
  // Null: none of that id is kept. Valid until drop().
  const KeptResult* find(const std::string& job_id) const;
  const std::map<std::string, Entry>& by_id() const { return by_id_; }
  const std::map<std::uint64_t, const KeptResult*>& all() const { return all_; }  // by number
  // In the order of their ends.
  std::vector<const KeptResult*> of_application(const std::string& id) const;
  // What the results of its jobs, at least one, tell of an application: how main ended is not
  // known, so `reason` says that where they finished.
  static ApplicationInfo application_of(const std::vector<const KeptResult*>& jobs);
  // What is known of one beside its result.
  static JobDetails details_of(const KeptResult& job);

  // As EndedRecords has them.
  std::string due(std::int64_t now_ms) const { return ends_.due(now_ms); }
  std::int64_t next_ms() const { return ends_.next_ms(); }
  void drop(const std::string& job_id);
  const EndedRecords::Dropped* dropped(const std::string& id) const { return ends_.dropped(id); }

 private:
  std::map<std::string, Entry> by_id_;
  std::map<std::uint64_t, const KeptResult*> all_;
  EndedRecords ends_;
};

}  // namespace freshet::core
