// Which operator of a chain has failed, and which one runs: noted around each call of an operator,
// never per record.
//
// Threads    The task's fiber; `link` and `rows` are also read by a signal handler of its thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "freshet/detail/canceled_stage.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

struct ChainPosition {
  int failed_link = -1;  // the first whose operator threw; -1: none
  // It did not say at which of its stages and records: where the exception says so on its way out,
  // that is the place of an operator before it.
  bool stage_is_of_one_before = false;
  std::atomic<int> link{-1};           // the innermost that runs; -1: none
  std::atomic<std::uint32_t> rows{0};  // of the batch that it processes; 0: none, or not known
  std::atomic<bool> processes{false};  // records, not time or its own beginning or end

  // In a catch block around a call of that link.
  void note_failure_of(std::uint32_t its_link) noexcept {
    if (failed_link >= 0) return;
    failed_link = static_cast<int>(its_link);
    try {
      throw;
    } catch (const detail::StageFailure&) {
    } catch (const detail::CanceledStage&) {
    } catch (...) {
      stage_is_of_one_before = true;
    }
  }
};

// For its life, that link runs; then the one before does.
class RunningLink {
 public:
  RunningLink(ChainPosition& position, std::uint32_t link, bool processes = false,
              std::uint32_t rows = 0)
      : position_(position),
        link_(position.link.load(std::memory_order_relaxed)),
        rows_(position.rows.load(std::memory_order_relaxed)),
        processes_(position.processes.load(std::memory_order_relaxed)) {
    set(static_cast<int>(link), rows, processes);
  }
  ~RunningLink() { set(link_, rows_, processes_); }
  RunningLink(const RunningLink&) = delete;
  RunningLink& operator=(const RunningLink&) = delete;

 private:
  void set(int link, std::uint32_t rows, bool processes) {
    position_.link.store(link, std::memory_order_relaxed);
    position_.rows.store(rows, std::memory_order_relaxed);
    position_.processes.store(processes, std::memory_order_relaxed);
  }

  ChainPosition& position_;
  const int link_;
  const std::uint32_t rows_;
  const bool processes_;
};

}  // namespace freshet::core
