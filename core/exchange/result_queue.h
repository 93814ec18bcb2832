// Rows on their way from a collecting operator to a client, bounded: a slow reader holds the job
// back.
//
// Threads    One writer fiber at a time, one reader at a time on any thread.
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "freshet/api.h"
#include "freshet/future.h"
#include "task/waiter.h"

namespace freshet::core {

class FRESHET_API ResultQueue {
 public:
  // Waits for room; throws Canceled. [writer]
  void push(std::string rows);
  // Nothing will follow; `error` says why unless the job has finished. [any thread, may repeat]
  void end(std::exception_ptr error);
  // What comes from this writer from here on is dropped, as is what nobody has read: another one is
  // to follow it. False, with nothing dropped, if rows have been read. [any thread]
  bool stop();
  // Another writer begins. [it, or before it]
  void go_on();
  // The next rows, nothing at the end, or the error. [reader]
  Future<std::optional<std::string>> next();

 private:
  static constexpr std::size_t kDepth = 16;

  std::mutex mutex_;
  std::deque<std::string> rows_;
  std::optional<Promise<std::optional<std::string>>> reader_;
  bool was_read_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  std::exception_ptr error_;
  Waiter writer_;
};

}  // namespace freshet::core
