#include "simulation/simulated_thread.h"

#include <algorithm>
#include <cassert>

#include "simulation/seeded_random.h"
#include "task/fiber_thread.h"
#include "task/helper_threads.h"

namespace freshet::core {
namespace {

constexpr std::size_t kStackSize = std::size_t{1} << 20;

}  // namespace

class SimulatedThread::Process final : public ControlThread {
 public:
  Process(SimulatedThread& thread, std::uint64_t number, std::string name)
      : thread_(thread), number_(number), name_(std::move(name)) {}
  ~Process() override {
    ended_ = true;
    thread_.end_process(number_);
  }
  const Clock& clock() const override { return thread_.clock(); }
  void post(std::string name, FiberFunction function) override {
    if (!ended_) thread_.start(number_, name_ + ": " + name, std::move(function));
  }
  bool is_current() const override { return thread_.is_current(); }
  TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) override {
    if (ended_) return 0;
    return thread_.add_timer(number_, deadline_ns, name_ + ": " + name, std::move(function));
  }
  void cancel(TimerId timer) override { thread_.cancel(timer); }

 private:
  SimulatedThread& thread_;
  const std::uint64_t number_;
  const std::string name_;
  bool ended_ = false;
};

SimulatedThread::SimulatedThread(std::uint64_t seed)
    : clock_(1'000'000'000, 1'700'000'000'000),
      helpers_(std::make_unique<HelperThreads>("simulated-helper", 4)),
      fibers_(FiberThread::here()) {
  fibers_.enter(*helpers_, clock_);
  fibers_.begin_test_mode(SeededRandom(seed).draw());
}

SimulatedThread::~SimulatedThread() {
  end_process(0);
  assert(running_.empty() && timers_.empty() && "every process has ended");
  fibers_.leave();
}

std::unique_ptr<ControlThread> SimulatedThread::process(std::string name) {
  return std::make_unique<Process>(*this, ++last_number_, std::move(name));
}

void SimulatedThread::post(std::string name, FiberFunction function) {
  start(0, std::move(name), std::move(function));
}

bool SimulatedThread::is_current() const { return FiberThread::current() == &fibers_; }

TimerId SimulatedThread::at(std::int64_t deadline_ns, std::string name, FiberFunction function) {
  return add_timer(0, deadline_ns, std::move(name), std::move(function));
}

void SimulatedThread::cancel(TimerId timer) {
  auto deadline = deadlines_.find(timer);
  if (deadline == deadlines_.end()) return;
  timers_.erase({deadline->second, timer});
  deadlines_.erase(deadline);
}

void SimulatedThread::start(std::uint64_t process, std::string name, FiberFunction function) {
  assert(is_current());
  const std::pair key(process, ++last_number_);
  auto run = [this, key, function = std::move(function)]() mutable {
    try {
      function();
    } catch (const Canceled&) {  // its process has ended
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
    function.reset();
    running_.erase(key);
  };
  auto fiber = std::make_shared<Fiber>(std::move(name), std::move(run), kStackSize);
  fiber->thread = &fibers_;
  running_.emplace(key, fiber);
  fibers_.start_now(fiber);
}

TimerId SimulatedThread::add_timer(std::uint64_t process, std::int64_t deadline_ns,
                                   std::string name, FiberFunction function) {
  const TimerId id = ++last_number_;
  timers_.emplace(std::pair(deadline_ns, id), Timer{process, std::move(name), std::move(function)});
  deadlines_.emplace(id, deadline_ns);
  return id;
}

void SimulatedThread::end_process(std::uint64_t process) {
  assert(!FiberThread::current_fiber());
  for (;;) {
    for (auto timer = timers_.begin(); timer != timers_.end();) {
      if (timer->second.process == process) {
        deadlines_.erase(timer->first.second);
        timer = timers_.erase(timer);
      } else {
        ++timer;
      }
    }
    const auto first = running_.lower_bound({process, 0});
    if (first == running_.end() || first->first.first != process) return;
    // A canceled fiber does not begin to wait again, so it ends in this run.
    for (auto each = first; each != running_.end() && each->first.first == process; ++each) {
      fibers_.cancel(each->second);
    }
    fibers_.run_until_idle();
  }
}

void SimulatedThread::run_until_idle() {
  assert(!FiberThread::current_fiber());
  fibers_.run_until_idle();
  rethrow_error();
}

bool SimulatedThread::run_until(const std::function<bool()>& done, std::int64_t at_most_ms) {
  const std::int64_t end = clock_.now_ns() + at_most_ms * 1'000'000;
  for (;;) {
    run_until_idle();
    if (done()) return true;
    const std::int64_t next = next_event_ns();
    if (next > end) {
      clock_.advance_ns(end - clock_.now_ns());
      return false;
    }
    if (next > clock_.now_ns()) clock_.advance_ns(next - clock_.now_ns());
    start_due_timers();
  }
}

void SimulatedThread::run_for(std::int64_t milliseconds) {
  run_until([] { return false; }, milliseconds);
}

// Those of one moment run together: the seed draws their order.
void SimulatedThread::start_due_timers() {
  while (!timers_.empty() && timers_.begin()->first.first <= clock_.now_ns()) {
    auto due = timers_.extract(timers_.begin());
    deadlines_.erase(due.key().second);
    Timer& timer = due.mapped();
    start(timer.process, std::move(timer.name), std::move(timer.function));
  }
}

std::int64_t SimulatedThread::next_event_ns() const {
  const std::int64_t wait = fibers_.next_deadline_ns();
  return timers_.empty() ? wait : std::min(wait, timers_.begin()->first.first);
}

void SimulatedThread::rethrow_error() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

}  // namespace freshet::core
