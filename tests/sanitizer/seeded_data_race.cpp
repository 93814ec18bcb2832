// WRONG ON PURPOSE: fibers on two threads write the same int and nothing orders them.
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <thread>

namespace {

int shared_by_mistake = 0;

void count_in_fibers() {
  auto count = [] {
    for (int i = 0; i < 1000; ++i) {
      ++shared_by_mistake;
      boost::this_fiber::yield();
    }
  };
  boost::fibers::fiber first(count);
  boost::fibers::fiber second(count);
  first.join();
  second.join();
}

}  // namespace

int main() {
  std::thread other(count_in_fibers);
  count_in_fibers();
  other.join();
  return 0;
}
