// The control threads of all simulated processes: fibers on the calling thread, whose order a seed
// draws, and a clock that jumps to the next timer when nothing else is left to do. What happens
// depends on the seed alone.
//
//   SimulatedThread thread(seed);
//   auto job_manager = thread.process("job manager");   // a ControlThread
//   …
//   EXPECT_TRUE(thread.run_until([&] { return done; }, 60'000));
//
// Threads    The one that made it, outside of fibers. One at a time in a thread.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/control_thread.h"

namespace freshet::core {

class FiberThread;
class HelperThreads;

class FRESHET_API SimulatedThread final : public ControlThread {
 public:
  explicit SimulatedThread(std::uint64_t seed);
  // Drops the timers, cancels what still runs, and runs it to its end. Every process has ended.
  ~SimulatedThread() override;

  // Fibers and timers that end together: of a process, or of one life of it. Its destructor drops
  // the timers, cancels the fibers and runs them to their end; outside of fibers only. What is
  // posted to it meanwhile is dropped.
  std::unique_ptr<ControlThread> process(std::string name);

  const Clock& clock() const override { return clock_; }
  void post(std::string name, FiberFunction function) override;
  bool is_current() const override;
  TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) override;
  void cancel(TimerId timer) override;

  // Runs fibers until all wait; time stands still. Throws what one of them threw, except Canceled.
  void run_until_idle();
  // Runs, moving the clock from timer to timer, until done() says so between two of them (true), or
  // until so much time has passed or no timer is left (false).
  bool run_until(const std::function<bool()>& done, std::int64_t at_most_ms);
  // All that happens within that time.
  void run_for(std::int64_t milliseconds);

 private:
  class Process;
  struct Timer {
    std::uint64_t process;
    std::string name;
    FiberFunction function;
  };
  void start(std::uint64_t process, std::string name, FiberFunction function);
  TimerId add_timer(std::uint64_t process, std::int64_t deadline_ns, std::string name,
                    FiberFunction function);
  void end_process(std::uint64_t process);
  void start_due_timers();
  std::int64_t next_event_ns() const;
  void rethrow_error();

  ManualClock clock_;
  std::unique_ptr<HelperThreads> helpers_;
  FiberThread& fibers_;
  std::uint64_t last_number_ = 0;  // of processes, fibers and timers
  // By process and number: those that have not ended.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<Fiber>> running_;
  std::map<std::pair<std::int64_t, TimerId>, Timer> timers_;
  std::map<TimerId, std::int64_t> deadlines_;
  std::exception_ptr error_;
};

}  // namespace freshet::core
