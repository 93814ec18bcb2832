// Waits until nothing moves in this process any more.
//
// Without a guess how long that takes: the kernel counts how often each thread gave up its
// processor. If two looks in a row show every other thread asleep with the same counts, then all of
// them slept at the moment between the looks, and only a timer or someone outside can wake one.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

namespace freshet::testing {

// The state and the switches of each thread but the caller's, by its id. Empty if any is awake.
inline std::map<std::string, std::string> sleeping_threads() {
  std::map<std::string, std::string> threads;
  const std::string own = std::to_string(::gettid());
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string id = thread.path().filename().native();
    if (id == own) continue;
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:") && line.find("S (sleeping)") == std::string::npos) return {};
      if (line.find("ctxt_switches:") != std::string::npos) threads[id] += line + '\n';
    }
  }
  return threads;
}

// Requires at least one other thread. False after `patience`: something always moves.
inline bool wait_until_still(std::chrono::seconds patience = std::chrono::seconds(60)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  auto last = sleeping_threads();
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a look costs processor time
    auto now = sleeping_threads();
    if (!now.empty() && now == last) return true;
    last = std::move(now);
  }
  return false;
}

}  // namespace freshet::testing
