#include "test_fibers.h"

#include <cassert>

#include "task/fiber_thread.h"
#include "task/helper_threads.h"

namespace freshet {
using namespace core;

TestFibers::TestFibers(std::uint64_t seed)
    : clock_(1'000'000'000, 1'700'000'000'000),
      helpers_(std::make_unique<HelperThreads>("test-helper", 4)) {
  FiberThread& thread = FiberThread::here();
  thread.enter(*helpers_, clock_);
  thread.begin_test_mode(seed);
}

TestFibers::~TestFibers() {
  FiberThread& thread = FiberThread::here();
  for (const auto& [name, fiber] : fibers_) thread.cancel(fiber);
  for (;;) {
    thread.run_until_idle();
    bool all = true;
    for (const auto& [name, fiber] : fibers_) all = all && fiber->ended;
    if (all) break;
    thread.sleep_until_woken();  // an await() can't be canceled
  }
  thread.leave();
}

FiberHandle TestFibers::start(const std::string& name, FiberFunction function) {
  assert(!fibers_.count(name));
  auto fiber = std::make_shared<Fiber>(name, std::move(function), 1024 * 1024);
  fiber->thread = &FiberThread::here();
  fibers_[name] = fiber;
  FiberHandle handle(fiber);
  unseen_[name] = handle.finished();
  FiberThread::here().start_now(fiber);
  return handle;
}

void TestFibers::run_until_idle() {
  FiberThread::here().run_until_idle();
  rethrow_errors();
}

void TestFibers::run_until_all_have_ended() {
  for (;;) {
    run_until_idle();
    if (unseen_.empty()) return;
    FiberThread::here().sleep_until_woken();
  }
}

void TestFibers::rethrow_errors() {
  for (auto each = unseen_.begin(); each != unseen_.end();) {
    if (!each->second.ready()) {
      ++each;
      continue;
    }
    Future<void> done = each->second;
    each = unseen_.erase(each);
    try {
      done.get();
    } catch (const Canceled&) {  // as ordered
    }
  }
}

void TestFibers::cancel(const std::string& name) { FiberThread::here().cancel(fibers_.at(name)); }

bool TestFibers::waiting(const std::string& name) const {
  const auto& fiber = fibers_.at(name);
  return !fiber->ended && fiber->parked;
}

bool TestFibers::ended(const std::string& name) const { return fibers_.at(name)->ended; }

TestFibers::Box& TestFibers::box(const std::string& name) {
  auto& box = boxes_[name];
  if (!box) box = std::make_unique<Box>();
  return *box;
}
Waiter& TestFibers::waiter(const std::string& name) { return box(name).waiter; }
Mailbox& TestFibers::mailbox(const std::string& name) { return box(name).mailbox; }

}  // namespace freshet
