// Makes texts of what processes have left about their death, on a thread of its own: to find the
// names of addresses can take seconds, and may go wrong, so that another program does it
// (crash/symbolizer.h).
//
// Threads    Any.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "freshet/detail/unique_function.h"
#include "posix/descriptor.h"
#include "process/process_spawner.h"

namespace freshet::core {

class CrashReader {
 public:
  using Then = detail::UniqueFunction<void(std::optional<ProcessCrash>)>;

  // Throws InvalidInput if there is no room for its descriptor.
  CrashReader();
  // What waits is told at once, without names.
  ~CrashReader();
  CrashReader(const CrashReader&) = delete;
  CrashReader& operator=(const CrashReader&) = delete;

  // `then` is called once, on the thread of the reader, in the order of the calls; with nothing if
  // `raw` is no report. Where no thread can be made it is called at once, without names.
  void read(std::string raw, Then then);

 private:
  struct Waiting {
    std::string raw;
    Then then;
  };
  void run();
  void tell(Waiting& next, bool with_names);
  // What the program says of it; empty if it says nothing in time.
  std::string stacks_of(const std::string& raw);

  const Descriptor stop_;  // readable: end at once
  std::mutex mutex_;
  std::condition_variable added_;
  bool stopping_ = false;
  std::deque<Waiting> waiting_;
  std::thread thread_;  // from the first crash on
};

}  // namespace freshet::core
