// One parallel instance of a task of the job: a chain of operators, its inputs, and the loop that
// its fiber runs.
//
// Threads    run() is the fiber's function. waiter() and mailbox() are for everybody.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "operators/operator_chain.h"
#include "operators/task_host.h"
#include "task/mailbox.h"
#include "task/waiter.h"

namespace freshet::core {

class Subtask;

// Told from the subtasks' fibers, several at once.
class SubtaskListener {
 public:
  virtual ~SubtaskListener() = default;
  virtual void subtask_opened() = 0;
  // It has read, written and sent on everything. `commits`: it has a commit() to call, too.
  virtual void subtask_finished(std::vector<Committable> committables, bool commits) = 0;
  // Its operators have given up, for all to hear, while it goes on. [any thread]
  virtual void subtask_failed(FailureInfo failure) = 0;
  // The last word of a subtask; `failure` is set if user code or the runtime failed in it.
  virtual void subtask_ended(const Subtask& subtask, std::optional<FailureInfo> failure) = 0;
};

class FRESHET_API Subtask final : private TaskHost {
 public:
  struct Options {
    std::uint32_t records_per_run = 16384;         // of a source, before the mailbox is looked at
    std::int64_t buffer_timeout_ns = 100'000'000;  // a partly filled batch is sent by then
  };

  // What all subtasks of a job wait for together: nothing is written by a job that can't begin,
  // and nothing becomes visible of one that does not come to its end.
  struct Gates {
    std::atomic<bool> all_opened{false};
    std::atomic<bool> all_finished{false};
    std::atomic<bool> canceled{false};  // for good: what is prepared will not be committed
  };

  // Clock, listener and gates outlive the subtask.
  Subtask(std::string name, const Clock& clock, SubtaskListener& listener, const Gates& gates,
          Options options);

  const std::string& name() const { return name_; }
  Waiter& waiter() { return waiter_; }
  Mailbox& mailbox() override { return mailbox_; }
  // Before run().
  void add_input(Channel& channel, std::uint32_t input);
  void set_chain(std::unique_ptr<OperatorChain> chain) {
    chain_ = std::move(chain);
    if (chain_) chain_->set_host(*this);
  }
  const OperatorChain& chain() const { return *chain_; }

  void run() noexcept;

 private:
  struct Input {
    Channel* channel;
    std::uint32_t input;
    std::int64_t watermark = kNoTimestamp;
    bool ended = false;
    bool gated = false;
    bool has_something() const { return !ended && !gated && !channel->empty(); }
  };

  void gate(std::uint32_t input, bool gated) override;
  void serve_until(detail::UniqueFunction<bool()> ready) override;
  std::int64_t now() const { return clock_.now_ns(); }
  void fail(FailureInfo failure) override { listener_.subtask_failed(std::move(failure)); }

  FailureInfo failure_by_canceled() const;
  void run_source();
  void run_inputs();
  void take(Input& input, const Element& element);
  // In pieces, if the operators are slow.
  void process(std::uint32_t input, Batch& batch);
  void note_pace(std::uint32_t records, std::int64_t ns);
  void advance_watermark();
  // Mail, timers, and whatever else operators have coming between two pieces of work.
  void attend();
  void wait_until(std::int64_t deadline_ns, bool for_inputs);
  void input_ended(Input& input);
  // Between two pieces of work: cancel, the send timer, the other tasks of the thread.
  void pause();

  const std::string name_;
  const Clock& clock_;
  SubtaskListener& listener_;
  const Gates& gates_;
  const Options options_;
  Waiter waiter_;
  Mailbox mailbox_{waiter_};
  std::vector<Input> inputs_;
  std::unique_ptr<OperatorChain> chain_;
  std::size_t open_inputs_ = 0;  // channels
  std::uint32_t last_input_ = 0;
  std::int64_t watermark_ = kNoTimestamp;
  std::uint32_t at_once_ = 0;  // records that the next call of the operators gets
  std::int64_t last_flush_ = 0;
  std::int64_t last_yield_ = 0;
};

}  // namespace freshet::core
