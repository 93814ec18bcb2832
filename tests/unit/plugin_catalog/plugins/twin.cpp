// An operator library with an operator that another one has, too.
#include "freshet/payload.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

class Twin final : public freshet::Operator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
    return std::make_unique<Twin>();
  }
  void process(std::uint32_t, freshet::Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}
};

}  // namespace

FRESHET_OPERATOR("twin.same", Twin);
FRESHET_OPERATOR_LIBRARY(TWIN_NAME, "0.1.0");
