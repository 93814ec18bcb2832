#include "exchange/channel.h"

#include <cassert>

#include "freshet/error.h"

namespace freshet::core {

Channel::Channel(const RecordType& type, Waiter& writer, Waiter& reader, BufferBudget& budget,
                 Options options)
    : Channel(writer, reader, budget, options) {
  type_ = &type;
}

Channel::Channel(Waiter& writer, Waiter& reader, BufferBudget& budget, Options options)
    : max_rows_(options.max_rows),
      writer_(writer),
      reader_(reader),
      budget_(budget),
      share_(budget, writer),
      elements_(options.depth),
      home_(options.depth) {}

Channel::~Channel() {
  in_line_.reset();
  Element element;
  while (elements_.pop(element)) free(element);
  Batch* batch;
  while (home_.pop(batch)) share_.give_back(batch);
}

void Channel::free(Element& element) noexcept {
  if (element.batch) share_.give_back(element.batch);
}

bool Channel::push(Element element) {
  assert(!closed_.load(std::memory_order_relaxed));
  assert((element.kind == Element::Kind::batch) == (element.batch != nullptr));
  try {
    writer_.wait([this] { return abandoned() || !elements_.full(); });
  } catch (const Canceled&) {
    free(element);
    throw;
  }
  if (abandoned()) {
    free(element);
    return false;
  }
  if (element.batch) share_.count_extra(*element.batch);
  elements_.push(element);
  reader_.wake();
  return true;
}

bool Channel::try_push(const Element& element) {
  assert(!closed_.load(std::memory_order_relaxed));
  if (!abandoned() && elements_.full()) return false;
  push(element);
  return true;
}

Batch* Channel::spare() noexcept {
  Batch* batch;
  return home_.pop(batch) ? batch : nullptr;
}

// As spare(); but while more is out than the budget has, a channel keeps one batch alone.
Batch* Channel::own_spare() noexcept {
  while (Batch* batch = spare()) {
    if (!budget_.exceeded() || share_.borrowed() == 1) return batch;
    share_.give_back(batch);
  }
  return nullptr;
}

Batch* Channel::obtain() {
  if (trimmed_.load(std::memory_order_relaxed)) trimmed_.store(false, std::memory_order_relaxed);
  if (Batch* batch = own_spare()) return batch;
  if (Batch* batch = share_.try_acquire(*type_, max_rows_)) return batch;
  Batch* batch = nullptr;
  BufferBudget::InLine in_line(share_);
  writer_.wait([&] {
    batch = own_spare();
    if (!batch) batch = share_.try_acquire(*type_, max_rows_);
    return batch || abandoned();
  });
  // Abandoned: nobody may return any more, and the writer learns of it by its next push.
  return batch ? batch : share_.acquire_beyond(*type_, max_rows_);
}

Batch* Channel::try_obtain() {
  if (trimmed_.load(std::memory_order_relaxed)) trimmed_.store(false, std::memory_order_relaxed);
  const auto look = [this] {
    Batch* batch = own_spare();
    return batch ? batch : share_.try_acquire(*type_, max_rows_);
  };
  Batch* batch = look();
  if (!batch && !in_line_) {
    in_line_.emplace(share_);
    batch = look();  // what was returned meanwhile
  }
  if (batch) in_line_.reset();
  return batch;
}

void Channel::discard(Batch* batch) noexcept { share_.give_back(batch); }

void Channel::trim() noexcept {
  trimmed_.store(true, std::memory_order_relaxed);
  while (Batch* batch = spare()) share_.give_back(batch);
}

void Channel::close() noexcept {
  in_line_.reset();
  trim();
  closed_.store(true, std::memory_order_release);
  reader_.wake();
}

bool Channel::pop(Element& element) {
  if (!elements_.pop(element)) return false;
  writer_.wake();
  return true;
}

void Channel::give_back(Batch* batch) noexcept {
  batch->clear();
  if (share_.count_extra(*batch)) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // against the one in InLine
  }
  if (budget_.short_of_batches() || trimmed_.load(std::memory_order_relaxed) ||
      !home_.push(batch)) {
    share_.give_back(batch);
  }
  writer_.wake();
}

void Channel::abandon() noexcept {
  abandoned_.store(true, std::memory_order_release);
  Element element;
  while (elements_.pop(element)) free(element);
  writer_.wake();
}

}  // namespace freshet::core
