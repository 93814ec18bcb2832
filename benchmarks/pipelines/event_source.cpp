// A source in a plugin: batches that borrow their events from memory.
#include <algorithm>
#include <vector>

#include "events.h"
#include "freshet/payload.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/plugin/record_type.h"

namespace {

class EventSource final : public freshet::Operator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    const auto records = payload->value<std::uint64_t>();
    const auto in_memory = payload->value<std::uint64_t>();
    return std::make_unique<EventSource>(records, in_memory);
  }
  EventSource(std::uint64_t records, std::uint64_t in_memory)
      : left_(records), events_(in_memory), batch_(freshet::record_type<Event>(), 0) {
    for (std::uint64_t i = 0; i < in_memory; ++i) events_[i] = make_event(i);
  }
  void open(freshet::OperatorContext& context) override { output_ = &context.output(0); }
  freshet::Progress run(std::uint32_t records) override {
    const std::uint64_t n = std::min<std::uint64_t>({records, left_, events_.size() - at_, 1024});
    batch_.borrow(events_.data() + at_, nullptr, static_cast<std::uint32_t>(n));
    output_->deliver(batch_);
    batch_.clear();
    left_ -= n;
    at_ = at_ + n == events_.size() ? 0 : at_ + n;
    return {left_ ? freshet::Progress::Kind::kMore : freshet::Progress::Kind::kEnd};
  }
  void process(std::uint32_t, freshet::Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}

 private:
  std::uint64_t left_;
  std::uint64_t at_ = 0;
  std::vector<Event> events_;
  freshet::Batch batch_;
  freshet::Output* output_ = nullptr;
};

}  // namespace

FRESHET_OPERATOR("benchmark.events", EventSource);
FRESHET_OPERATOR_LIBRARY("benchmark-events", FRESHET_VERSION_STRING);
