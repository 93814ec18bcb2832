// An executor in the mood that FRESHET_TEST_MOOD names: where it hangs, until the file that
// FRESHET_TEST_RELEASE names is there, or what its factory's create() gives.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "freshet/configuration.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void hang_if_asked_to(const std::string& where) {
  if (environment("FRESHET_TEST_MOOD") != "hangs in " + where) return;
  const std::string release = environment("FRESHET_TEST_RELEASE");
  while (true) {
    if (std::FILE* file = std::fopen(release.c_str(), "r")) {
      std::fclose(file);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

__attribute__((constructor)) void load() {
  hang_if_asked_to("a constructor");
  if (environment("FRESHET_TEST_MOOD") == "throws in a constructor")
    throw std::runtime_error("not before breakfast");
}

class MoodyFactory final : public freshet::ExecutorFactory {
 public:
  MoodyFactory() { hang_if_asked_to("create"); }
  const char* name() const override { return "moody"; }
  bool is_compatible_with(const freshet::Configuration&) const override {
    hang_if_asked_to("is_compatible_with");
    if (environment("FRESHET_TEST_MOOD") == "throws a number") throw 7;
    return true;
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices&) const override {
    hang_if_asked_to("the executor");
    if (environment("FRESHET_TEST_MOOD") == "throws no executor")
      throw std::runtime_error("no executor today");
    return nullptr;
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("moody", "0.1.0", MoodyFactory);
