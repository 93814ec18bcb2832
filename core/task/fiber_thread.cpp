#include "task/fiber_thread.h"

#include <cxxabi.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/properties.hpp>
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "exit_code/exit_code.h"
#include "task/forked_child.h"
#include "task/helper_threads.h"

namespace freshet::core {

namespace fibers = boost::fibers;
using detail::kNever;

namespace {

// Read by the handler of crashes, too: of this model no first use asks for memory.
[[gnu::tls_model("initial-exec")]] thread_local FiberThread* current_thread = nullptr;
thread_local FiberThread* thread_of_scheduler = nullptr;  // stays when the thread leaves
std::atomic<pid_t> process_of_fibers{0};                  // not one that it has forked
std::atomic<int> serving{0};                              // threads that run tasks

// Hangs a fiber's record on Boost's context, which deletes it.
class RecordLink final : public fibers::fiber_properties {
 public:
  RecordLink(fibers::context* context, Fiber* fiber) : fiber_properties(context), fiber(fiber) {}
  Fiber* fiber;
};

bool running_fiber(RunningFiber& running) {
  const Fiber* fiber = FiberThread::current_fiber();
  const bool on_its_stack = fiber != nullptr;
  if (!fiber) fiber = HelperThreads::served();
  if (!fiber) return false;
  running = {on_its_stack ? fiber->guard : StackGuard{}, fiber->name.c_str(), fiber->stack_size,
             fiber->crash_context.load(std::memory_order_relaxed)};
  return true;
}

// exit() by a fiber would wait for its scheduler to run out of fibers, and so for its own caller:
// destroyed before the scheduler, since it is made behind it.
class ExitWatch {
 public:
  ~ExitWatch() {
    end_process_left_by_task("exit");
    if (FiberThread::current_fiber() == nullptr) return;
    refuse_child_of_task("called exit(), by which its exit code is lost");
  }
};

// The exceptions being handled are the thread's in the C++ ABI. Each wait takes its fiber's along,
// so that a fiber may wait inside a catch block.
class HandledExceptions {
 public:
  HandledExceptions() noexcept : thread_(*reinterpret_cast<Globals*>(abi::__cxa_get_globals())) {
    mine_ = thread_;
    thread_ = Globals{};
  }
  ~HandledExceptions() { thread_ = mine_; }
  HandledExceptions(const HandledExceptions&) = delete;
  HandledExceptions& operator=(const HandledExceptions&) = delete;

 private:
  struct Globals {  // Itanium C++ ABI, 2.2.2
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  Globals& thread_;
  Globals mine_;
};

// Boost's view of StackPool for one fiber.
struct StackOfFiber {
  StackPool* pool;
  Fiber* fiber;
  boost::context::stack_context allocate() { return pool->take(fiber->stack_size, fiber->guard); }
  void deallocate(boost::context::stack_context& stack) noexcept { pool->give_back(stack); }
};

void end_fiber(Fiber& fiber, std::exception_ptr error) {
  fiber.function.reset();
  fiber.ended.store(true, std::memory_order_release);
  auto on_end = std::move(fiber.on_end);
  if (error) {
    fiber.finished.set_error(std::move(error));
  } else {
    fiber.finished.set_value();
  }
  if (on_end) on_end();
}

struct RunFiber {
  std::shared_ptr<Fiber> fiber;

  void operator()() {
    auto* context = fibers::context::active();
    auto* link = new RecordLink(context, fiber.get());
    context->set_properties(link);
    std::exception_ptr error;
    try {
      fiber->function();
    } catch (...) {
      error = std::current_exception();
    }
    end_fiber(*fiber, std::move(error));
    link->fiber = nullptr;
  }
};

const detail::Suspender kFiberSuspender{
    [](void* place) noexcept {
      static_assert(sizeof(Waiter) <= 2 * sizeof(void*) && alignof(Waiter) <= alignof(void*));
      ::new (place) Waiter;
    },
    [](void* place, const std::atomic<std::uint32_t>& set, std::int64_t deadline_ns) {
      return static_cast<Waiter*>(place)->wait_until(
          deadline_ns, [&set] { return set.load(std::memory_order_acquire) != 0; });
    },
    [](void* place) noexcept { static_cast<Waiter*>(place)->wake(); },
    []() noexcept { return FiberThread::current()->clock().now_ns(); },
    [](void (*function)(void*), void* argument) {
      FiberThread::current()->helpers().run(function, argument);
      if (canceled() && !FiberThread::current_fiber()->awaits_despite_cancel)
        throw Canceled(std::string("'") + fiber_name() + "' has been canceled");
    }};

}  // namespace

class FiberThread::Algorithm final : public fibers::algo::algorithm {
 public:
  explicit Algorithm(FiberThread& thread) : thread_(thread) {}
  void awakened(fibers::context* context) noexcept override { context->ready_link(thread_.ready_); }
  fibers::context* pick_next() noexcept override { return thread_.pick_next(); }
  bool has_ready_fibers() const noexcept override { return !thread_.ready_.empty(); }
  void suspend_until(const std::chrono::steady_clock::time_point& until) noexcept override {
    thread_.park(until == std::chrono::steady_clock::time_point::max()
                     ? kNever
                     : std::chrono::nanoseconds(until.time_since_epoch()).count());
  }
  void notify() noexcept override { thread_.notify(); }

 private:
  FiberThread& thread_;
};

namespace {

// Those that no thread uses. Never destroyed: threads may end after static objects do.
struct Unused {
  std::mutex mutex;
  std::vector<FiberThread*> threads;
  static Unused& instance() {
    static auto* unused = new Unused;
    return *unused;
  }
};

}  // namespace

FiberThread& FiberThread::obtain() {
  auto& unused = Unused::instance();
  std::lock_guard lock(unused.mutex);
  if (unused.threads.empty()) return *new FiberThread;
  auto* thread = unused.threads.back();
  unused.threads.pop_back();
  return *thread;
}

void FiberThread::give_back(FiberThread& thread) {
  assert(thread.ready_.empty() && thread.timers_.empty());
  auto& unused = Unused::instance();
  std::lock_guard lock(unused.mutex);
  unused.threads.push_back(&thread);
}

FiberThread& FiberThread::here() {
  static thread_local FiberThread& thread = obtain();
  return thread;
}

FiberThread* FiberThread::current() noexcept { return current_thread; }

Fiber* FiberThread::current_fiber() noexcept {
  if (!current_thread) return nullptr;
  auto* link = static_cast<RecordLink*>(fibers::context::active()->get_properties());
  return link ? link->fiber : nullptr;
}

namespace {

[[noreturn]] void end_process(const std::string& who, const char* function) noexcept {
  std::fprintf(stderr,
               "freshet: %s called %s(), which ends its process: throw an exception to fail the "
               "job\n",
               who.c_str(), function);
  std::fflush(nullptr);
  // Neither what exit() calls nor a library's _exit(), which may be the caller.
  for (;;) ::syscall(SYS_exit_group, exit_code::kFailed);
}

}  // namespace

void end_process_left_by_task(const char* function) noexcept {
  const Fiber* own = FiberThread::current_fiber();
  const Fiber* fiber = own != nullptr ? own : HelperThreads::served();
  if (fiber == nullptr || process_of_fibers != ::getpid()) return;
  end_process("'" + fiber->name + "' of a job", function);
}

void end_process_left_beside_tasks(const char* function) noexcept {
  if (serving == 0 || process_of_fibers != ::getpid() || ::gettid() == ::getpid()) return;
  end_process("while a job ran, a thread that is neither main's nor a task's", function);
}

namespace {
bool is_child_of_task() {
  return is_forked_child() && process_of_fibers != ::getpid() &&
         (FiberThread::current() != nullptr || HelperThreads::served() != nullptr);
}
}  // namespace

void end_child_of_task(int code) noexcept {
  if (!is_child_of_task()) return;
  std::fflush(nullptr);
  ::_exit(code);
}

void refuse_child_of_task(const char* why) noexcept {
  if (!is_child_of_task()) return;
  const Fiber* own = FiberThread::current_fiber();
  const Fiber* fiber = own != nullptr ? own : HelperThreads::served();
  std::fprintf(stderr,
               "freshet: a child (pid %d) that '%s' of a job forked %s: let it end by _exit(), "
               "or start a program (exec)\n",
               static_cast<int>(::getpid()), fiber != nullptr ? fiber->name.c_str() : "a task",
               why);
  end_child_of_task(EXIT_FAILURE);
}

void FiberThread::enter(HelperThreads& helpers, const Clock& clock) {
  assert(!current_thread && (!thread_of_scheduler || thread_of_scheduler == this));
  helpers_ = &helpers;
  clock_ = &clock;
  process_of_fibers = ::getpid();
  report_crashes_of_fibers(&running_fiber);
  prctl(PR_SET_TIMERSLACK, 1);
  current_thread = this;
  detail::set_suspender(&kFiberSuspender);
  if (thread_of_scheduler) return;
  thread_of_scheduler = this;
  fibers::use_scheduling_algorithm<Algorithm>(*this);
  static thread_local ExitWatch exit_watch;
  static_cast<void>(exit_watch);
}

void FiberThread::leave() noexcept {
  assert(current_thread == this);
  current_thread = nullptr;
  test_mode_ = false;
  detail::set_suspender(nullptr);
}

void FiberThread::serve(bool runs_tasks) {
  struct Serving {
    explicit Serving(int threads) : threads_(threads) { serving += threads_; }
    ~Serving() { serving -= threads_; }
    const int threads_;
  } const counted(runs_tasks ? 1 : 0);
  for (;;) {
    commanded_.wait([this] { return has_commands_.load(std::memory_order_acquire); });
    std::deque<Command> commands;
    {
      std::lock_guard lock(commands_mutex_);
      commands.swap(commands_);
      has_commands_.store(false, std::memory_order_relaxed);
    }
    for (auto& command : commands) {
      switch (command.kind) {
        case Command::Kind::start:
          start_now(command.fiber);
          break;
        case Command::Kind::cancel:
          cancel_now(*command.fiber);
          break;
        case Command::Kind::end:
          return;
      }
    }
  }
}

void FiberThread::start_now(const std::shared_ptr<Fiber>& fiber) {
  assert(current_thread == this);
  try {
    fibers::fiber(fibers::launch::post, std::allocator_arg, StackOfFiber{&stacks_, fiber.get()},
                  RunFiber{fiber})
        .detach();
  } catch (...) {
    end_fiber(*fiber, std::current_exception());
  }
}

void FiberThread::cancel_now(Fiber& fiber) noexcept {
  fiber.canceled.store(true, std::memory_order_release);
  Parked* parked = fiber.parked;
  if (parked && parked->take_back()) make_ready(parked);  // else a wake is on its way
}

void FiberThread::command(Command command) {
  {
    std::lock_guard lock(commands_mutex_);
    commands_.push_back(std::move(command));
    has_commands_.store(true, std::memory_order_release);
  }
  commanded_.wake();
}

void FiberThread::start(std::shared_ptr<Fiber> fiber) {
  command({Command::Kind::start, std::move(fiber)});
}
void FiberThread::cancel(std::shared_ptr<Fiber> fiber) {
  if (current_thread == this) {
    cancel_now(*fiber);
  } else {
    command({Command::Kind::cancel, std::move(fiber)});
  }
}
void FiberThread::end() { command({Command::Kind::end, nullptr}); }

void FiberThread::wake(Parked* parked) noexcept {
  // Not at once if it is the caller itself, that has published but not suspended.
  if (current_thread == this && parked->context_ != fibers::context::active()) {
    make_ready(parked);
    return;
  }
  Parked* first = inbox_.load(std::memory_order_relaxed);
  do {
    parked->next_ = first;
  } while (!inbox_.compare_exchange_weak(first, parked, std::memory_order_release,
                                         std::memory_order_relaxed));
  notify();  // `parked` may have gone
}

void FiberThread::make_ready(Parked* parked) noexcept {
  if (parked->is_linked()) timers_.erase(timers_.iterator_to(*parked));
  parked->context_->ready_link(ready_);
}

void FiberThread::sleep_until(Parked& parked) noexcept { timers_.insert(parked); }

// Only on the way through the dispatcher: no fiber is then half way into its suspension.
void FiberThread::collect() noexcept {
  if (inbox_.load(std::memory_order_relaxed)) {
    Parked* list = inbox_.exchange(nullptr, std::memory_order_acquire);
    Parked* in_order = nullptr;
    while (list) {
      Parked* next = list->next_;
      list->next_ = in_order;
      in_order = list;
      list = next;
    }
    while (in_order) {
      Parked* next = in_order->next_;
      make_ready(in_order);
      in_order = next;
    }
  }
  if (timers_.empty()) return;
  const std::int64_t now = clock_->now_ns();
  while (!timers_.empty() && timers_.begin()->deadline_ns_ <= now) {
    Parked& due = *timers_.begin();
    timers_.erase(timers_.begin());
    if (due.take_back()) due.context_->ready_link(ready_);  // else a wake is on its way
  }
}

fibers::context* FiberThread::pick_next() noexcept {
  refuse_child_of_task("waits for others, which are not there");
  if (ready_.empty()) collect();  // only the dispatcher can find it so
  if (ready_.empty()) return nullptr;
  auto* next = draw();
  if (next->is_context(fibers::type::dispatcher_context)) collect();
  return next;
}

namespace {
bool is_worker(const fibers::context& context) {
  return context.is_context(fibers::type::worker_context);
}
}  // namespace

fibers::context* FiberThread::draw() noexcept {
  auto chosen = ready_.begin();
  if (test_mode_) {
    std::size_t workers = 0;
    for (const auto& context : ready_) workers += is_worker(context);
    if (workers > 0) {
      std::size_t skip = random_() % workers;
      while (!is_worker(*chosen) || skip-- > 0) ++chosen;
    }
  }
  auto* next = &*chosen;
  ready_.erase(chosen);
  return next;
}

// word_: 0 runs, 1 parked, 2 notified.
void FiberThread::park(std::int64_t deadline_ns) noexcept {
  if (!timers_.empty() && timers_.begin()->deadline_ns_ < deadline_ns && !test_mode_) {
    deadline_ns = timers_.begin()->deadline_ns_;
  }
  std::uint32_t runs = 0;
  if (word_.compare_exchange_strong(runs, 1, std::memory_order_acq_rel)) {
    timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000),
                   static_cast<long>(deadline_ns % 1'000'000'000)};
    syscall(SYS_futex, &word_, FUTEX_WAIT_BITSET_PRIVATE, 1,
            deadline_ns == kNever ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  }
  word_.exchange(0, std::memory_order_acq_rel);
}

void FiberThread::notify() noexcept {
  if (word_.exchange(2, std::memory_order_acq_rel) == 1) {
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

void FiberThread::begin_test_mode(std::uint64_t seed) {
  test_mode_ = true;
  random_.seed(static_cast<std::minstd_rand::result_type>(seed % 2147483646 + 1));
}

bool FiberThread::has_ready_worker() noexcept {
  collect();
  for (const auto& context : ready_) {
    if (is_worker(context)) return true;
  }
  return false;
}

void FiberThread::run_until_idle() {
  while (has_ready_worker()) boost::this_fiber::yield();
}

std::int64_t FiberThread::next_deadline_ns() const noexcept {
  return timers_.empty() ? kNever : timers_.begin()->deadline_ns_;
}

void FiberThread::sleep_until_woken() {
  if (!has_ready_worker()) park(kNever);
}

Parked::Parked(std::atomic<Parked*>& slot, std::int64_t deadline_ns, bool cancelable)
    : slot_(slot),
      deadline_ns_(deadline_ns),
      context_(fibers::context::active()),
      thread_(FiberThread::current()),
      fiber_(cancelable ? FiberThread::current_fiber() : nullptr) {
  assert(thread_ && "a Waiter is for fibers: use a Future elsewhere");
  assert(slot_.load(std::memory_order_relaxed) == nullptr && "one fiber waits at a time");
  if (fiber_ && fiber_->canceled.load(std::memory_order_relaxed)) {
    throw Canceled("'" + fiber_->name + "' has been canceled");
  }
}

Parked::~Parked() {
  if (published_ && !take_back()) suspend();
}

void Parked::publish() noexcept {
  published_ = true;
  slot_.store(this, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // against the one in Waiter::wake()
}

bool Parked::take_back() noexcept {
  Parked* self = this;
  return slot_.compare_exchange_strong(self, nullptr, std::memory_order_acq_rel);
}

void Parked::suspend() noexcept {
  published_ = false;
  if (fiber_) fiber_->parked = this;
  if (deadline_ns_ != kNever) thread_->sleep_until(*this);
  {
    HandledExceptions of_this_fiber;
    context_->suspend();
  }
  if (fiber_) fiber_->parked = nullptr;
}

bool Parked::overdue() const noexcept {
  return deadline_ns_ != kNever && thread_->clock().now_ns() >= deadline_ns_;
}

void Parked::wake(Parked* parked) noexcept { parked->thread_->wake(parked); }

FiberHandle::FiberHandle(std::shared_ptr<Fiber> fiber)
    : fiber_(std::move(fiber)), finished_(fiber_->finished.future()) {}
const std::string& FiberHandle::name() const { return fiber_->name; }
Future<void> FiberHandle::finished() const { return finished_; }
void FiberHandle::cancel() const {
  if (!fiber_->ended.load(std::memory_order_acquire)) fiber_->thread->cancel(fiber_);
}

bool canceled() noexcept {
  const Fiber* fiber = FiberThread::current_fiber();
  return fiber && fiber->canceled.load(std::memory_order_relaxed);
}

void await_despite_cancel() noexcept {
  if (Fiber* fiber = FiberThread::current_fiber()) fiber->awaits_despite_cancel = true;
}

CrashContextOfFiber::CrashContextOfFiber(const CrashContext& context) noexcept {
  if (Fiber* fiber = FiberThread::current_fiber())
    fiber->crash_context.store(&context, std::memory_order_relaxed);
}
CrashContextOfFiber::~CrashContextOfFiber() {
  if (Fiber* fiber = FiberThread::current_fiber())
    fiber->crash_context.store(nullptr, std::memory_order_relaxed);
}

const char* fiber_name() noexcept {
  const Fiber* fiber = FiberThread::current_fiber();
  return fiber ? fiber->name.c_str() : "";
}

void yield_fiber() {
  if (!FiberThread::current()) return;
  HandledExceptions of_this_fiber;
  boost::this_fiber::yield();
}

}  // namespace freshet::core
