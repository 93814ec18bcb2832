#include "exchange/remote_receiver.h"

#include <algorithm>

#include "freshet/plugin/operator.h"
#include "freshet/plugin/record_type.h"
#include "task/fiber.h"

namespace freshet::core {

CreditSink::~CreditSink() = default;

BadFrame::BadFrame(std::uint32_t its_worker, const std::string& message)
    : Error(message), worker(its_worker) {}
BadFrame::~BadFrame() = default;

bool RemoteReceiver::Input::put(std::unique_ptr<NetworkMessage> frame) {
  if (!pending_.push(std::move(frame))) return false;
  receiver_.waiter_.wake();
  return true;
}

RemoteReceiver::~RemoteReceiver() {
  for (Input& input : inputs_) {
    input.channel_.leave_line();
    if (input.batch_) input.channel_.discard(input.batch_);
  }
}

RemoteReceiver::Input& RemoteReceiver::add(Channel& channel, std::uint32_t input,
                                           std::uint32_t number, std::uint32_t worker,
                                           FrameCredits credits) {
  ++open_;
  return inputs_.emplace_back(*this, channel, input, number, worker, credits);
}

void RemoteReceiver::run(const std::function<const RecordType&(std::uint32_t input)>& type_of) {
  for (Input& input : inputs_) {
    const RecordType& type = type_of(input.input_);
    input.channel_.set_type(type);
    input.granted_ = type.extra ? std::min(input.credits_.with_extra, input.pending_.capacity())
                                : input.pending_.capacity();
    input.owed_ = input.granted_;
  }
  while (open_ > 0) {
    if (canceled()) throw Canceled("the task has been canceled");
    bool worked = false;
    for (Input& input : inputs_) worked |= advance(input);
    grant_owed();
    if (worked) {
      yield_fiber();
      continue;
    }
    for (Input& input : inputs_) {
      if (input.is_idle()) input.channel_.trim();
    }
    waiter_.wait([this] {
      return std::any_of(inputs_.begin(), inputs_.end(),
                         [this](Input& input) { return can_advance(input); });
    });
  }
}

// Calls no code of the user's.
bool RemoteReceiver::can_advance(Input& input) {
  if (input.ended_ || (!input.frame_ && input.pending_.empty()) || input.channel_.full()) {
    return false;
  }
  if (!input.wants_batch_ || input.batch_ || input.channel_.abandoned()) return true;
  input.batch_ = input.channel_.try_obtain();
  return input.batch_ != nullptr;
}

bool RemoteReceiver::advance(Input& input) {
  if (!can_advance(input)) return false;
  if (!input.frame_) {
    input.pending_.pop(input.frame_);
    try {
      input.reader_ = FrameReader(input.frame_->data(), input.frame_->size());
    } catch (const Error& error) {
      throw BadFrame(input.worker_, error.what());
    }
  }
  if (input.channel_
          .abandoned()) {  // the subtask has ended before its inputs: it is being canceled
    input.frame_.reset();
    return true;
  }
  std::string wrong;
  try {
    take_element(input);
  } catch (const Canceled&) {
    throw;
  } catch (...) {
    wrong = detail::current_exception_message();
  }
  if (!wrong.empty()) throw BadFrame(input.worker_, wrong);
  return true;
}

void RemoteReceiver::take_element(Input& input) {
  if (input.reader_.look() == Element::Kind::batch) {
    if (!input.batch_) input.batch_ = input.channel_.try_obtain();
    input.wants_batch_ = input.batch_ == nullptr;
    if (!input.batch_) return;
    input.reader_.read_rows(*input.batch_);
    input.channel_.push({Element::Kind::batch, std::exchange(input.batch_, nullptr)});
  } else {
    const Element element = input.reader_.take();
    input.channel_.push(element);
    if (element.kind == Element::Kind::end_of_input) {
      if (!input.reader_.at_end()) {
        throw DecodeError("something follows the end of channel " + std::to_string(input.number_));
      }
      input.channel_.close();
      input.ended_ = true;
      --open_;
    }
  }
  if (!input.reader_.at_end()) return;
  input.frame_.reset();
  if (!input.ended_) ++input.owed_;
}

void RemoteReceiver::grant_owed() {
  for (Input& input : inputs_) {
    if (input.owed_ == 0 || input.owed_ * 4 < input.granted_) continue;
    grants_.push_back({input.worker_, input.number_, std::exchange(input.owed_, 0)});
  }
  if (grants_.empty()) return;
  credits_.grant(grants_);
  grants_.clear();
}

}  // namespace freshet::core
