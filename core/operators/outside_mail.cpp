#include "operators/outside_mail.h"

#include <algorithm>
#include <utility>

namespace freshet {

OutsideMail::OutsideMail(Mailbox& mailbox, Run run, Fail fail)
    : mailbox_(&mailbox), run_(std::move(run)), fail_(std::move(fail)) {}

OutsideMail::~OutsideMail() = default;

Future<void> OutsideMail::post(OperatorCall call) {
  Promise<void> room;
  Future<void> future = room.future();
  bool posted = false;
  {
    const std::lock_guard lock(mutex_);
    if (mailbox_) {
      posted = mailbox_->put(
          [self = shared_from_this(), call = std::move(call)]() mutable { self->take(call); });
    }
    if (posted && ++lying_ >= OperatorMailbox::kRoom) {
      waiting_.push_back(std::move(room));
      return future;
    }
  }
  posted ? room.set_value() : room.set_error(detail::operator_ended());
  return future;
}

void OutsideMail::take(OperatorCall& call) {
  std::deque<Promise<void>> next;
  {
    const std::lock_guard lock(mutex_);
    if (!mailbox_) return;
    --lying_;
    const std::size_t room = OperatorMailbox::kRoom - std::min(lying_, OperatorMailbox::kRoom);
    while (!waiting_.empty() && (lying_ == 0 || next.size() < room)) {
      next.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  for (Promise<void>& told : next) told.set_value();
  run_(call);
}

void OutsideMail::fail(std::string text) {
  const std::lock_guard lock(mutex_);
  if (mailbox_) fail_(std::move(text));
}

void OutsideMail::end() noexcept {
  std::deque<Promise<void>> waiting;
  {
    const std::lock_guard lock(mutex_);
    mailbox_ = nullptr;
    waiting.swap(waiting_);
  }
  for (Promise<void>& room : waiting) room.set_error(detail::operator_ended());
}

}  // namespace freshet
