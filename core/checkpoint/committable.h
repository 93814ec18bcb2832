// What the sinks of a job have prepared, and what became of committing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace freshet::core {

// Of one subtask; bytes that only its operator understands.
struct Committable {
  // Most bytes of one, of those of a worker, and of those of a job.
  static constexpr std::size_t kLargest = std::size_t{1} << 20;
  static constexpr std::size_t kMostOfWorker = std::size_t{16} << 20;
  static constexpr std::size_t kMostOfJob = std::size_t{32} << 20;

  std::uint32_t vertex = 0;  // place in the graph
  std::uint32_t subtask = 0;
  std::string bytes;
};

struct CommitOutcome {
  bool committed = false;
  bool refused = false;  // not committed, and to try again would be of no use
  std::string text;      // what is visible, or why it is not; may be empty
};

}  // namespace freshet::core
