// What stands around an operator under test, asked for by name: any rows go.
#include <stdexcept>

#include "freshet/plugin/module.h"
#include "freshet/plugin/operator.h"

namespace {

using freshet::Batch;
using freshet::Operator;
using freshet::PayloadReader;
using freshet::Progress;

class Quiet : public Operator {
 public:
  void process(std::uint32_t, Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}
};

// A source without records.
class Nothing final : public Quiet {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Nothing>();
  }
  Progress run(std::uint32_t) override { return {Progress::Kind::kEnd}; }
};

// A source that waits for ever.
class Idle final : public Quiet {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Idle>();
  }
  Progress run(std::uint32_t) override { return {Progress::Kind::kWaiting}; }
};

class Failing final : public Quiet {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Failing>();
  }
  Progress run(std::uint32_t) override { throw std::runtime_error("as the kit wants it"); }
};

class Discard final : public Quiet {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Discard>();
  }
};

}  // namespace

FRESHET_OPERATOR("freshet.kit.nothing", Nothing);
FRESHET_OPERATOR("freshet.kit.idle", Idle);
FRESHET_OPERATOR("freshet.kit.failing", Failing);
FRESHET_OPERATOR("freshet.kit.discard", Discard);
