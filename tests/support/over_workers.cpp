// FRESHET_TEST_WORKERS=N: the tests of this program run their jobs over N workers.
#include <gtest/gtest.h>

#include <cstdlib>

#include "workers.h"

namespace freshet::testing {
using namespace core;
namespace {

class OverWorkers final : public ::testing::Environment {
 public:
  void SetUp() override {
    if (const char* workers = std::getenv("FRESHET_TEST_WORKERS")) {
      execute_over_workers({static_cast<std::uint32_t>(std::atoi(workers))});
    }
  }
  void TearDown() override { execute_over_workers({}); }
};

const auto* const over_workers = ::testing::AddGlobalTestEnvironment(new OverWorkers);

}  // namespace
}  // namespace freshet::testing
