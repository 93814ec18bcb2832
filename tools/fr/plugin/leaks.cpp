#include "plugin/leaks.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "plugin/check.h"
#include "plugin/resources.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr int kWarmUp = 20;
constexpr int kRounds = 50;

std::string leave(const Rounds& rounds, std::size_t count) {
  return std::to_string(kRounds) + " times " + rounds.what + " leave " + std::to_string(count);
}

// A thread that has been joined may take a moment to go.
std::size_t settled_threads(std::size_t most) {
  for (int i = 0; i < 500 && thread_count() > most; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return thread_count();
}

}  // namespace

void Rounds::run(int count) const {
  for (int i = 0; i < count; ++i) once();
}

void expect_no_more_memory(const Rounds& rounds) {
  rounds.run(kWarmUp);
  const std::size_t heap = heap_bytes_in_use(), resident = resident_bytes();
  rounds.run(kRounds);
  const std::size_t heap_after = heap_bytes_in_use(), resident_after = resident_bytes();
  const auto judge = [&](const char* kind, std::size_t before, std::size_t after,
                         std::size_t tolerance) {
    if (after <= before + tolerance) return;
    throw CaseFailed(leave(rounds, after - before) + " bytes of " + kind + ", at most " +
                     std::to_string(tolerance) + " are allowed: free in " + rounds.frees +
                     " what " + rounds.takes + " has taken");
  };
  judge("heap", heap, heap_after, rounds.heap_tolerance);
  judge("resident memory", resident, resident_after, rounds.resident_tolerance);
  if (heap == 0) throw CaseSkipped("this allocator does not tell what it has handed out");
}

void expect_no_more_descriptors(const Rounds& rounds) {
  rounds.run(kWarmUp);
  const std::vector<std::string> before = open_descriptors();
  rounds.run(kRounds);
  const std::vector<std::string> after = open_descriptors();
  if (after.size() <= before.size()) return;
  std::vector<std::string> more;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(more));
  throw CaseFailed(leave(rounds, after.size() - before.size()) + " descriptors open, such as " +
                   (more.empty() ? "?" : printable(more.front(), 200)) + ": close in " +
                   rounds.frees + " what " + rounds.takes + " has opened");
}

void expect_no_more_threads(const Rounds& rounds) {
  rounds.run(kWarmUp);
  const std::size_t before = settled_threads(1);
  rounds.run(kRounds);
  const std::size_t after = settled_threads(before);
  if (after <= before) return;
  throw CaseFailed(leave(rounds, after - before) + " threads: join in " + rounds.frees + " what " +
                   rounds.takes + " has started");
}

}  // namespace freshet::tool
