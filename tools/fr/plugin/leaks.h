// The cases that look for leaks: something is done over and over, and what the process holds may
// not grow by it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace freshet::tool {

struct Rounds {
  std::string what;   // "create() and destroy()"
  std::string frees;  // where it should be given back: "destroy()"
  std::string takes;  // where it was taken: "create()"
  std::function<void()> once;
  std::size_t heap_tolerance = 1024;  // bytes after all rounds
  std::size_t resident_tolerance = 2 * 1024 * 1024;

  void run(int count) const;
};

// Each throws CaseFailed if fifty rounds, after some to warm up, leave more than before.
void expect_no_more_memory(const Rounds& rounds);  // CaseSkipped where malloc does not tell
void expect_no_more_descriptors(const Rounds& rounds);
void expect_no_more_threads(const Rounds& rounds);

}  // namespace freshet::tool
