// How much may be said: the bounds of texts that users, their code and other processes bring, so
// that no failure, name or message is ever too large for a message between processes, or fills the
// memory of a job manager that keeps it. Texts are cut where they enter (the tasks of a job, and
// once more a job manager, which trusts no worker); whatever lies behind may rely on it.
//
// failure_text.h  the text of a failure, and the stacks that only -v shows
//
// Threads    Values and functions.
#pragma once

#include <cstddef>
#include <string>

#include "freshet/accumulators.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

// Names of applications, jobs, operators, accumulators, metrics.
inline constexpr std::size_t kMostNameBytes = 1024;
// A failure, or the reason of an end. Within a list it is kMostListedBytes.
inline constexpr std::size_t kMostFailureBytes = std::size_t{32} << 10;
inline constexpr std::size_t kMostListedBytes = 1024;
// Jobs in an ApplicationInfo, so that it is never above the limit of a frame.
inline constexpr std::size_t kMostListedJobs = 10'000;
// What an operator says, and what a commit() returns or throws.
inline constexpr std::size_t kMostMessageBytes = std::size_t{8} << 10;
// Metrics that the code of one operator keeps, by name.
inline constexpr std::size_t kMostMetrics = 1'000;
// All metrics of a job's subtasks in one process: their names, and kMetricBytes for each value.
inline constexpr std::size_t kMostMetricBytes = std::size_t{32} << 20;
inline constexpr std::size_t kMetricBytes = 100;
// What the commits of a process return or throw, together.
inline constexpr std::size_t kMostCommitTextBytes = std::size_t{8} << 20;
// A serialised job. What goes along with it to workers, and the frame around it, need the rest
// of the 64 MiB of a frame.
inline constexpr std::size_t kMostJobGraphBytes = std::size_t{48} << 20;

// The text, or if it is longer its begin and its end, with how much was left out between them, in
// `most` bytes (64 at least). Cuts no UTF-8 sequence.
FRESHET_API std::string cut_to(std::size_t most, std::string text);
FRESHET_API FailureInfo bounded(FailureInfo failure);
// As it stands in a list.
FRESHET_API JobInfo listed(JobInfo job);
// Has the last of its jobs, and how many there were before them.
FRESHET_API ApplicationInfo with_last_jobs(ApplicationInfo application);

// What an accumulator counts against kMostAccumulatedBytes: its items, 0 if it has none.
FRESHET_API std::size_t accumulated_bytes(const AccumulatorValue& value);

// Throws InvalidInput that names the job, its size and the limit.
FRESHET_API void check_size_of_job(const std::string& name, std::size_t bytes);

}  // namespace freshet::core
