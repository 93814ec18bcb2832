#include "operators/subtask.h"

#include <algorithm>
#include <cstddef>

#include "freshet/error.h"
#include "task/fiber.h"
#include "task/fiber_thread.h"

namespace freshet::core {

namespace {

// How long a task may keep its thread while others are ready.
constexpr std::int64_t kTimeSliceNs = 100'000;
// How long a call of the operators should take at most: in between a cancel is heard, and what they
// have made is sent on. Slow user code therefore gets its records a few at a time.
constexpr std::int64_t kLongCallNs = 20'000'000;
constexpr std::uint32_t kFirstCall = 64;
constexpr std::uint32_t kMostAtOnce = 1u << 20;
constexpr int kMailsAtOnce = 64;

// Sends a batch home whatever happens to its rows.
class Borrowed {
 public:
  Borrowed(Channel& channel, Batch* batch) : channel_(channel), batch_(batch) {}
  ~Borrowed() { channel_.give_back(batch_); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Batch& operator*() const { return *batch_; }

 private:
  Channel& channel_;
  Batch* batch_;
};

}  // namespace

Subtask::Subtask(std::string name, const Clock& clock, SubtaskListener& listener,
                 const Gates& gates, Options options)
    : name_(std::move(name)),
      clock_(clock),
      listener_(listener),
      gates_(gates),
      options_(options) {}

void Subtask::add_input(Channel& channel, std::uint32_t input) {
  inputs_.push_back({&channel, input});
}

void Subtask::run() noexcept {
  const CrashContextOfFiber at_work(*chain_);
  std::optional<FailureInfo> failure;
  bool all_finished = false;
  // Handlers only take notes: a fiber must not be suspended inside one.
  try {
    chain_->open();
    listener_.subtask_opened();
    waiter_.wait([this] { return gates_.all_opened.load(std::memory_order_acquire); });
    last_flush_ = last_yield_ = now();
    at_once_ = kFirstCall;
    chain_->is_source() ? run_source() : run_inputs();
    chain_->end_of_inputs(last_input_);
    chain_->end_outputs();
    std::vector<Committable> committables = chain_->prepare_commit();
    listener_.subtask_finished(std::move(committables), chain_->commits());
    waiter_.wait([this] { return gates_.all_finished.load(std::memory_order_acquire); });
    all_finished = true;
    chain_->commit();
  } catch (const Canceled&) {
    if (!canceled()) failure = failure_by_canceled();
  } catch (...) {
    failure = chain_->current_failure();
  }
  refuse_child_of_task(failure ? ("threw '" + failure->message + "'").c_str()
                               : "returned from its operator");
  await_despite_cancel();
  // A process that ends since it has lost its job manager leaves them: another one may commit them.
  if (!all_finished && (failure || gates_.canceled.load(std::memory_order_acquire))) {
    chain_->abort_prepared();
  }
  try {
    chain_->close();
  } catch (const Canceled&) {
    if (!canceled() && !failure) failure = failure_by_canceled();
  } catch (...) {
    if (!failure) failure = chain_->current_failure();
  }
  mailbox_.close();
  for (Input& input : inputs_) input.channel->abandon();
  listener_.subtask_ended(*this, std::move(failure));
}

// Of one that nobody has asked for: as what a future of something else that was canceled throws.
FailureInfo Subtask::failure_by_canceled() const {
  FailureInfo failure = chain_->current_failure();
  failure.message =
      "freshet::Canceled was thrown, though nobody has canceled the job: " + failure.message;
  return failure;
}

void Subtask::run_source() {
  for (;;) {
    attend();
    const std::uint32_t records = std::min(options_.records_per_run, at_once_);
    const std::int64_t begin = now();
    const Progress progress = chain_->run(records);
    note_pace(records, now() - begin);
    switch (progress.kind) {
      case Progress::Kind::kEnd:
        return;
      case Progress::Kind::kMore:
        pause();
        break;
      case Progress::Kind::kWaiting:
        if (!mailbox_.empty()) {
          pause();
          break;
        }
        chain_->input_ran_dry();
        last_flush_ = now();
        wait_until(progress.at, false);
        break;
    }
  }
}

void Subtask::run_inputs() {
  open_inputs_ = inputs_.size();
  std::size_t turn = 0;
  while (open_inputs_ > 0) {
    attend();
    bool worked = !mailbox_.empty();
    for (std::size_t looked = 0; looked < inputs_.size(); ++looked) {
      Input& input = inputs_[turn];
      turn = turn + 1 == inputs_.size() ? 0 : turn + 1;
      Element element;
      if (input.ended || input.gated || !input.channel->pop(element)) continue;
      take(input, element);
      worked = true;
      break;
    }
    if (worked) {
      pause();
      continue;
    }
    chain_->input_ran_dry();
    last_flush_ = now();
    wait_until(INT64_MAX, true);
  }
}

void Subtask::wait_until(std::int64_t deadline_ns, bool for_inputs) {
  if (chain_->needs_attention()) deadline_ns = std::min(deadline_ns, chain_->next_due_ns());
  // An operator that always has something due, and a source that waits for what is past, must hear
  // a cancel, and let the others run.
  if (deadline_ns != INT64_MAX && deadline_ns <= now()) return pause();
  waiter_.wait_until(deadline_ns, [&] {
    return !mailbox_.empty() ||
           (for_inputs && std::any_of(inputs_.begin(), inputs_.end(),
                                      [](const Input& input) { return input.has_something(); }));
  });
}

void Subtask::serve_until(detail::UniqueFunction<bool()> ready) {
  while (!ready()) {
    attend();
    if (ready()) return;
    if (!mailbox_.empty()) {
      pause();
      continue;
    }
    chain_->flush();
    last_flush_ = now();
    wait_until(INT64_MAX, false);
  }
}

void Subtask::gate(std::uint32_t index, bool gated) {
  bool found = false;
  for (Input& input : inputs_) {
    if (input.input != index) continue;
    input.gated = gated;
    found = true;
  }
  if (!found) {
    throw InvalidInput("task '" + name_ + "' reads no channel for input " + std::to_string(index) +
                       ", so that it can't be gated: let the operator begin a task, behind an "
                       "edge that is not chained");
  }
}

void Subtask::take(Input& input, const Element& element) {
  switch (element.kind) {
    case Element::Kind::batch: {
      Borrowed batch(*input.channel, element.batch);
      process(input.input, *batch);
      break;
    }
    case Element::Kind::watermark:
      input.watermark = std::max(input.watermark, element.value);
      advance_watermark();
      break;
    case Element::Kind::end_of_input:
      input_ended(input);
      break;
    case Element::Kind::idle:
    case Element::Kind::barrier:
      break;
  }
}

void Subtask::input_ended(Input& input) {
  input.ended = true;
  --open_inputs_;
  last_input_ = input.input;
  if (open_inputs_ == 0) return;
  advance_watermark();
  const bool others = std::any_of(inputs_.begin(), inputs_.end(), [&](const Input& other) {
    return other.input == input.input && !other.ended;
  });
  if (!others) chain_->end_of_input(input.input);
}

void Subtask::process(std::uint32_t input, Batch& batch) {
  const std::uint32_t size = batch.size();
  for (std::uint32_t at = 0; at < size;) {
    const std::uint32_t count = std::min(at_once_, size - at);
    const std::int64_t begin = now();
    if (count == size) {
      batch.set_exclusive(true);
      chain_->process(input, batch);
    } else {
      Batch part(batch.type(), 0);
      const auto* rows = static_cast<const std::byte*>(batch.raw_rows());
      part.borrow(rows + std::size_t{at} * batch.type().size,
                  batch.timestamps() ? batch.timestamps() + at : nullptr, count);
      chain_->process(input, part);
    }
    at += count;
    note_pace(count, now() - begin);
    if (at < size) pause();
  }
}

void Subtask::note_pace(std::uint32_t records, std::int64_t ns) {
  refuse_child_of_task("returned from its operator");
  if (ns > kLongCallNs) {
    const double fitting = static_cast<double>(records) * kLongCallNs / static_cast<double>(ns);
    at_once_ = std::max(1u, static_cast<std::uint32_t>(fitting));
  } else if (records == at_once_ && ns < kLongCallNs / 4 && at_once_ < kMostAtOnce) {
    at_once_ *= 2;
  }
}

void Subtask::advance_watermark() {
  std::int64_t lowest = kMaxWatermark;
  for (const Input& input : inputs_) {
    if (!input.ended) lowest = std::min(lowest, input.watermark);
  }
  if (lowest <= watermark_) return;
  watermark_ = lowest;
  chain_->watermark(lowest);
}

void Subtask::attend() {
  // Some at a time: whoever posts without end does not keep the inputs waiting.
  for (int read = 0; read < kMailsAtOnce; ++read) {
    Mail mail = mailbox_.take();
    if (!mail) break;
    mail();
  }
  if (chain_->needs_attention()) chain_->attend();
}

void Subtask::pause() {
  if (canceled()) throw Canceled("the task has been canceled");
  const std::int64_t time = now();
  if (time - last_flush_ >= options_.buffer_timeout_ns) {
    chain_->flush();
    last_flush_ = time;
  }
  if (time - last_yield_ >= kTimeSliceNs) {
    yield_fiber();
    last_yield_ = now();
  }
}

}  // namespace freshet::core
