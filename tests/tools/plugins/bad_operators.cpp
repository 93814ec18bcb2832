// Operators that are right but for one thing: the one that FRESHET_TEST_BAD names.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "freshet/payload.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using freshet::Batch;
using freshet::Operator;
using freshet::PayloadReader;
using freshet::Progress;

bool bad(std::string_view what) {
  const char* chosen = std::getenv("FRESHET_TEST_BAD");
  return chosen != nullptr && what == chosen;
}

char* volatile kept = nullptr;
volatile int kept_file = -1;
std::atomic<int> open_now{0};

// Takes what comes; its payload, if it has one, is a text.
class Taker final : public Operator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    bool empty = true;
    try {
      payload->expect_end();
    } catch (const freshet::Error&) {
      empty = false;
    }
    if (!empty && bad("throws no exception at a bad payload")) throw 7;
    if (!empty && bad("crashes at a bad payload")) std::abort();
    if (!empty) payload->value<std::string>();
    return std::make_unique<Taker>();
  }
  void open(freshet::OperatorContext&) override {
    if (bad("fails to open")) throw freshet::Error("the door is stuck");
    if (bad("leaks memory")) kept = new char[4096];
    if (bad("leaks a descriptor")) kept_file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (bad("leaks a thread")) std::thread([] { ::pause(); }).detach();
    if (open_now.fetch_add(1) != 0 && bad("can't be twice")) {
      throw freshet::Error("there is another one");
    }
  }
  void process(std::uint32_t, Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}
  void close() override {
    // No subtask is closed before all of them have come to their end.
    open_now.fetch_sub(1);
    if (bad("crashes in close")) std::abort();
  }
};

// Gives nothing, in no time or never.
class Giver final : public Operator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Giver>();
  }
  Progress run(std::uint32_t) override {
    while (bad("blocks its thread")) ::pause();
    return {bad("has a source without end") ? Progress::Kind::kWaiting : Progress::Kind::kEnd};
  }
  void process(std::uint32_t, Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}
};

const freshet::detail::RegisteredByName<Taker> taker("bad.taker");
const freshet::detail::RegisteredByName<Giver> giver(bad("uses a name twice") ? "bad.taker"
                                                                              : "bad.giver");

}  // namespace

FRESHET_OPERATOR_LIBRARY("bad-operators", "0.1.0");
