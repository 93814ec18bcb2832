#include "operators/outside_mail.h"

#include <algorithm>
#include <utility>

namespace freshet::core {

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
      posted = mailbox_->put([self = shared_from_this()] { self->take(); });
    }
    if (posted) lying_.push_back(std::move(call));
    if (posted && lying_.size() >= OperatorMailbox::kRoom) {
      waiting_.push_back(std::move(room));
      return future;
    }
  }
  posted ? room.set_value() : room.set_error(detail::operator_ended());
  return future;
}

void OutsideMail::take() {
  OperatorCall call;
  std::deque<Promise<void>> next;
  {
    const std::lock_guard lock(mutex_);
    if (!mailbox_) return;
    call = std::move(lying_.front());
    lying_.pop_front();
    const std::size_t lie = lying_.size();
    const std::size_t room = OperatorMailbox::kRoom - std::min(lie, OperatorMailbox::kRoom);
    while (!waiting_.empty() && (lie == 0 || next.size() < room)) {
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
  std::deque<OperatorCall> lying;
  {
    const std::lock_guard lock(mutex_);
    mailbox_ = nullptr;
    waiting.swap(waiting_);
    lying.swap(lying_);
  }
  lying.clear();
  for (Promise<void>& room : waiting) room.set_error(detail::operator_ended());
}

}  // namespace freshet::core
