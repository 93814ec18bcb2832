// Threads on which blocking user code runs while its fiber is suspended: see freshet/await.h.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

class Fiber;

// Grows by a thread whenever all are busy, up to `most`; beyond that calls queue up.
class FRESHET_API HelperThreads {
 public:
  HelperThreads(std::string name, std::size_t most);
  // No call may be in progress.
  ~HelperThreads();
  HelperThreads(const HelperThreads&) = delete;
  HelperThreads& operator=(const HelperThreads&) = delete;

  // Suspends the calling fiber until function(argument), which must not throw, has returned. Goes
  // on if the fiber is canceled.
  void run(void (*function)(void*), void* argument);
  // The fiber whose call the calling thread runs; null if it runs none. May be called in a signal
  // handler.
  static const Fiber* served() noexcept;

 private:
  struct Call;
  void serve();

  const std::string name_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable called_;
  std::deque<Call*> calls_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace freshet::core
