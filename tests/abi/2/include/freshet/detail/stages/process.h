// The stage of process(): a function with the record's context and side outputs.
#pragma once

#include <string>
#include <vector>

#include "freshet/functions.h"

namespace freshet::detail {

template <class T, class O, class F, class... Tags>
struct FRESHET_HIDDEN ProcessStage : FunctionStage<F> {
  using In = T;
  using Out = O;
  static constexpr bool kOneToOne = false;
  std::vector<std::string> tags;
  RuntimeContext* runtime = nullptr;
  std::int64_t watermark = kNoTimestamp;

  void open(RuntimeContext& context) {
    runtime = &context;
    if constexpr (opens_v<F>) open_function(this->function, context);
  }
  void write(PayloadWriter& to) const {
    write_function(to, this->function);
    to.value(tags);
  }
  static ProcessStage read(PayloadReader& from) {
    F function = read_function<F>(from);
    auto tags = from.value<std::vector<std::string>>();
    if (tags.size() != sizeof...(Tags)) {
      throw DecodeError("process() with " + std::to_string(sizeof...(Tags)) +
                        " side outputs got the names of " + std::to_string(tags.size()));
    }
    return {{std::move(function)}, std::move(tags)};
  }
  template <class V, class Next>
  void process(V&& value, std::int64_t timestamp, Next& next) {
    const RecordType* const types[] = {&record_type<Tags>()..., nullptr};
    const ProcessContext::SideOutputs side_outputs{tags.data(), types, sizeof...(Tags)};
    ProcessContext context(*runtime, timestamp, watermark, side_outputs);
    struct Target {
      Next& next;
      std::int64_t timestamp;
    } target{next, timestamp};
    Collector<O> collector(&target, [](void* to, O&& record) {
      auto* t = static_cast<Target*>(to);
      t->next(static_cast<O&&>(record), t->timestamp);
    });
    detail::call(this->function, std::as_const(value), context, collector);
  }
  template <class Next>
  void on_watermark(std::int64_t timestamp, Next&&) {
    watermark = timestamp;
    // The end of input tells them itself.
    if (timestamp == kMaxWatermark) return;
    for (std::uint32_t i = 1; i <= tags.size(); ++i) {
      runtime->side_output(i).watermark(timestamp);
    }
  }
};

}  // namespace freshet::detail
