// The operators of 'template-name', for graphs that name them: a front end's, or a job's by
//
//   env.from_registered<std::int64_t>("template-name.numbers",
//                                     freshet::payload_of(std::uint64_t{100}))
#include <freshet/payload.h>
#include <freshet/plugin/operator.h>
#include <freshet/plugin/plugin_registration.h>
#include <freshet/plugin/record_type.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace {

// A source: 1, 2, ..., count.
class Numbers final : public freshet::Operator {
 public:
  // From the payload, which may come from anywhere: throws if it is something else.
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    const auto count = payload->value<std::uint64_t>();
    payload->expect_end();
    return std::make_unique<Numbers>(count);
  }
  explicit Numbers(std::uint64_t count) : left_(count) {}

  void open(freshet::OperatorContext& context) override {
    metrics_ = &context.metrics(0);
    output_ = &context.output(0);
    batch_ = &output_->open(freshet::record_type<std::int64_t>());
  }
  // About `records` records and no more: cancels and snapshots come in between.
  freshet::Progress run(std::uint32_t records) override {
    const auto n =
        static_cast<std::uint32_t>(std::min<std::uint64_t>({left_, records, batch_->capacity()}));
    auto* rows = batch_->rows<std::int64_t>();
    for (std::uint32_t i = 0; i < n; ++i) rows[i] = next_++;
    batch_->set_size(n);
    batch_ = &output_->send(*batch_, /*full=*/true);
    metrics_->add(0, n);
    left_ -= n;
    return {left_ == 0 ? freshet::Progress::Kind::kEnd : freshet::Progress::Kind::kMore};
  }
  // A source has no input.
  void process(std::uint32_t, freshet::Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}

 private:
  std::uint64_t left_;
  std::int64_t next_ = 1;
  freshet::StageMetrics* metrics_ = nullptr;
  freshet::Output* output_ = nullptr;
  freshet::Batch* batch_ = nullptr;
};

}  // namespace

FRESHET_OPERATOR("template-name.numbers", Numbers);
FRESHET_OPERATOR_LIBRARY("template-name", "0.1.0");
