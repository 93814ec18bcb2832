// The coordinator of a source, in one worker of the job: hands splits to the source's subtasks.
//
// Threads    next() from the subtasks' fibers, several at once; the coordinator sees one call at a
//            time, in the order in which they came.
// Waiting    next() suspends the fiber, never the thread: enumerators may await() something slow.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "freshet/api.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

class FRESHET_API SplitSource {
 public:
  // Without a coordinator there are no splits.
  SplitSource(std::unique_ptr<Coordinator> coordinator, std::uint32_t parallelism);
  ~SplitSource();

  // Throws what the enumerator throws, and Canceled while it waits for its turn.
  std::optional<std::string> next(std::uint32_t subtask);
  // Ends the coordinator: no subtask is left.
  void close() { coordinator_.reset(); }

 private:
  struct Turn;
  void take_turn();
  void end_turn() noexcept;

  std::unique_ptr<Coordinator> coordinator_;
  const std::uint32_t parallelism_;
  bool opened_ = false;
  std::mutex mutex_;  // of what follows
  bool taken_ = false;
  std::deque<Turn*> waiting_;
};

}  // namespace freshet::core
