// Fibers for tests: all run on the test's own thread, the seed draws their order, and time is a
// ManualClock. What a run does depends on the seed alone, as long as no other thread takes part.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "clock/clock.h"
#include "task/fiber.h"
#include "task/mailbox.h"
#include "task/waiter.h"

namespace freshet {
using namespace core;

namespace core {
class HelperThreads;
}

class TestFibers {
 public:
  explicit TestFibers(std::uint64_t seed = 0);
  // Cancels what still runs, and runs it to its end.
  ~TestFibers();
  TestFibers(const TestFibers&) = delete;
  TestFibers& operator=(const TestFibers&) = delete;

  // Runs in the next run_until_idle(). Names are unique.
  FiberHandle start(const std::string& name, FiberFunction function);

  // Runs fibers until all wait or have ended. Throws what a fiber threw, except Canceled.
  void run_until_idle();
  // Also sleeps for wakes by other threads, until all fibers have ended.
  void run_until_all_have_ended();
  // Moves the clock; deadlines that are due fire in the next run.
  void advance_ns(std::int64_t by) { clock_.advance_ns(by); }

  void cancel(const std::string& name);
  // In a wait that a cancel would end.
  bool waiting(const std::string& name) const;
  bool ended(const std::string& name) const;

  // Made at the first call; belong to nobody until a fiber uses them.
  Waiter& waiter(const std::string& name);
  Mailbox& mailbox(const std::string& name);
  ManualClock& clock() { return clock_; }

 private:
  struct Box {
    Waiter waiter;
    Mailbox mailbox{waiter};
  };
  Box& box(const std::string& name);
  void rethrow_errors();

  ManualClock clock_;
  std::unique_ptr<HelperThreads> helpers_;
  std::map<std::string, std::shared_ptr<Fiber>> fibers_;
  std::map<std::string, Future<void>> unseen_;
  std::map<std::string, std::unique_ptr<Box>> boxes_;
};

}  // namespace freshet
