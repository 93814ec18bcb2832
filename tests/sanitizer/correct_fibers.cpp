// Nothing wrong here: fibers on two threads that lock, wait for each other, throw, and are reused.
// A sanitizer that takes a switch of stacks for something else complains about this.
#include <array>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/future.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/protected_fixedsize_stack.hpp>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kFibers = 20;
constexpr int kRounds = 25;

boost::fibers::mutex mutex;
boost::fibers::condition_variable changed;
int turns = 0;     // guarded by mutex
int finished = 0;  // guarded by mutex

// A frame with something in it, so that unwinding it has memory to poison and unpoison.
int throw_from_depth(int depth) {
  std::array<char, 200> here{};
  here[static_cast<std::size_t>(depth)] = 'x';
  if (depth == 0) throw std::runtime_error("from the bottom");
  return throw_from_depth(depth - 1) + here[0];
}

void take_turns_and_throw() {
  for (int round = 0; round < kRounds; ++round) {
    {
      std::unique_lock lock(mutex);
      ++turns;
      changed.notify_all();
    }
    try {
      throw_from_depth(10);
    } catch (const std::runtime_error&) {
      boost::this_fiber::yield();  // switches inside a handler, which then ends elsewhere in time
    }
  }
  std::unique_lock lock(mutex);
  ++finished;
  changed.notify_all();
}

void wait_for_everyone() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [] { return finished == 2 * kFibers; });
}

void run_fibers() {
  std::vector<boost::fibers::fiber> fibers;
  for (int i = 0; i < kFibers; ++i) {
    fibers.emplace_back(std::allocator_arg, boost::fibers::protected_fixedsize_stack(128 * 1024),
                        take_turns_and_throw);
  }
  fibers.emplace_back(wait_for_everyone);
  for (auto& fiber : fibers) fiber.join();

  boost::fibers::promise<std::unique_ptr<std::string>> promise;
  auto answer = promise.get_future();
  boost::fibers::fiber sender([promise = std::move(promise)]() mutable {
    promise.set_value(std::make_unique<std::string>("owned by one after the other"));
  });
  sender.join();
  if (answer.get()->empty()) throw std::logic_error("nothing was sent");
}

}  // namespace

int main() {
  std::thread other(run_fibers);
  run_fibers();
  other.join();
  std::unique_lock lock(mutex);
  if (turns != 2 * kFibers * kRounds) return 1;
  std::puts("correct");
  return 0;
}
