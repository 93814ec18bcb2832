// WRONG ON PURPOSE: a fiber reads what another fiber of its thread has freed while it waited.
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <cstdio>
#include <memory>

int main() {
  auto owner = std::make_unique<int>(7);
  const int* borrowed = owner.get();
  boost::fibers::fiber reader([borrowed] {
    boost::this_fiber::yield();
    std::printf("%d\n", *borrowed);
  });
  boost::fibers::fiber freer([&owner] { owner.reset(); });
  freer.join();
  reader.join();
  return 0;
}
