#include "exchange/remote_sender.h"

#include <algorithm>

#include "freshet/error.h"
#include "freshet/plugin/record_type.h"
#include "task/fiber.h"

namespace freshet::core {

FrameSink::~FrameSink() = default;

bool RemoteSender::Output::grant(std::uint32_t credits) {
  if (credits > kMostCredits) return false;
  const std::uint32_t before = credits_.fetch_add(credits, std::memory_order_acq_rel);
  sender_.waiter_.wake();
  return before <= kMostCredits;
}

RemoteSender::RemoteSender(FrameSink& sink, std::shared_ptr<FramePool> pool)
    : sink_(sink), pool_(std::move(pool)) {}

RemoteSender::Output& RemoteSender::add(std::uint32_t number, std::uint32_t worker) {
  ++open_;
  return outputs_.emplace_back(*this, number, worker);
}

void RemoteSender::run() {
  while (open_ > 0) {
    if (canceled()) throw Canceled("the task has been canceled");
    bool sent = false;
    for (Output& output : outputs_) {
      if (!output.can_send()) continue;
      send_frame(output);
      sent = true;
    }
    if (sent) {
      yield_fiber();
      continue;
    }
    waiter_.wait([this] {
      return std::any_of(outputs_.begin(), outputs_.end(),
                         [](Output& output) { return output.can_send(); });
    });
  }
}

void RemoteSender::send_frame(Output& output) {
  FramePointer frame(pool_->take());
  ByteWriter& writer = frame->writer();
  write_frame_header(writer, output.number_);
  Element element;
  while (writer.size() < kFullFrameBytes && !output.ended_ && output.channel_->pop(element)) {
    struct Home {
      ~Home() {
        if (batch) channel.give_back(batch);
      }
      Channel& channel;
      Batch* batch;
    } home{*output.channel_, element.batch};
    write_element(writer, element);
    if (element.kind == Element::Kind::end_of_input) {
      output.ended_ = true;
      --open_;
    }
  }
  output.credits_.fetch_sub(1, std::memory_order_acq_rel);
  sink_.send(output.worker_, std::move(frame));
}

void RemoteSender::abandon() noexcept {
  for (Output& output : outputs_) {
    if (output.channel_) output.channel_->abandon();
  }
}

}  // namespace freshet::core
