// What an operator that carries another engine needs of the runtime beyond records and watermarks:
// timers, watermark holds, bundles, gates, keyed state by bytes, and a mailbox for its own threads.
//
//   void open(OperatorContext& context) override { services_ = &context.services(); }
//
// An operator that never asks for its services costs nothing for them.
//
// Threads     The operator's fiber, between open() and close(), unless a call says otherwise. The
//             fiber runs one thing at a time: a timer, a mail or a delayed call never comes while
//             another call of the operator is under way, also not while that one is suspended.
// Waiting     Nothing here blocks a thread. An operator that waits in process() for a mail of its
//             own waits for ever: it opens a bundle, returns, and goes on in the mail.
// Snapshots   When the runtime has them, timers, holds and keyed state are part of each by
//             themselves; delayed calls and mails are not, which is what before_snapshot() is for.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "freshet/error.h"
#include "freshet/future.h"
#include "freshet/plugin/keyed_state.h"
#include "freshet/plugin/operator.h"

namespace freshet {

// Moved, not copied; runs at most once. What it throws fails the job, with the operator's name.
using OperatorCall = detail::UniqueFunction<void()>;

// The operator has come to its end, or the job has: what was posted does not run.
class FRESHET_API OperatorEnded : public Error {
 public:
  using Error::Error;
  ~OperatorEnded() override;
};

namespace detail {
FRESHET_API std::exception_ptr operator_ended();
}

// A way into an operator's fiber, for whoever holds it: threads, callbacks of clients, other
// operators. May outlive the operator and the job.
//
// Threads    Any, several at once. Calls of one thread run in its order.
class FRESHET_API OperatorMailbox {
 public:
  // So many mails may lie in the box before posting it more has to wait.
  static constexpr std::size_t kRoom = 64;

  OperatorMailbox() = default;  // of nobody: only assignment and destruction
  // Runs `call` in the operator's fiber; there it may emit, which suspends the fiber when its
  // outputs are full, and so fills the box. The future is ready as soon as there is room for one
  // mail more: whoever posts waits for it before the next (get() blocks a thread outside, and
  // suspends a fiber inside). Fails with OperatorEnded; the call is then destroyed and never runs.
  Future<void> post(OperatorCall call) const;
  // What f() returned in the operator's fiber; what it threw is the future's error and does not
  // fail the job. Fails with OperatorEnded if f was not run.
  template <class F>
  auto call(F f) const {
    using Result = std::invoke_result_t<F&>;
    Answer<Result> answer;
    Future<Result> future = answer.promise.future();
    static_cast<void>(post([f = std::move(f), answer = std::move(answer)]() mutable {
      try {
        if constexpr (std::is_void_v<Result>) {
          f();
          answer.promise.set_value();
        } else {
          answer.promise.set_value(f());
        }
      } catch (const Canceled&) {
        answer.promise.set_error(std::current_exception());
        throw;
      } catch (...) {
        answer.promise.set_error(std::current_exception());
      }
    }));
    return future;
  }
  // Fails the job with that text and the operator's name, also while the fiber is suspended. Does
  // nothing once the operator or the job has ended.
  void fail(std::string text) const;

  // The runtime's end.
  class FRESHET_API Target {
   public:
    virtual ~Target();
    virtual Future<void> post(OperatorCall call) = 0;
    virtual void fail(std::string text) = 0;
  };
  explicit OperatorMailbox(std::shared_ptr<Target> target) : target_(std::move(target)) {}

 private:
  template <class Result>
  struct Answer {
    Promise<Result> promise;
    bool moved_from = false;

    Answer() = default;
    Answer(Answer&& other) noexcept : promise(std::move(other.promise)) { other.moved_from = true; }
    Answer& operator=(Answer&&) = delete;
    ~Answer() {
      if (!moved_from) promise.set_error(detail::operator_ended());
    }
  };
  std::shared_ptr<Target> target_;
};

class FRESHET_API OperatorServices {
 public:
  virtual ~OperatorServices();

  // ---- timers ------------------------------------------------------------------------------
  // One per family, tag and key: setting it again moves it, to the other domain too. Due ones fire
  // by Operator::timer() in the order of timestamp, family, tag, key.
  //   Event time: when the watermark reaches the timestamp, before watermark() is called; also in
  //     the end, all that are left, those that they set meanwhile too.
  //   Processing time: not before processing_time() is the timestamp. In the end they are dropped,
  //     unless a bundle is open for them.
  // With a hold, the timer holds the watermark there until it has fired or is deleted.
  virtual void set_timer(TimeDomain domain, std::int64_t timestamp, std::string_view family,
                         std::string_view tag, std::string_view key,
                         std::int64_t hold = kNoTimestamp) = 0;
  // False if it was not set.
  virtual bool delete_timer(std::string_view family, std::string_view tag,
                            std::string_view key) = 0;
  // ms since the epoch, that processing-time timers go by. May jump.
  virtual std::int64_t processing_time() const = 0;
  // As far as the operator has been told, or is being told by the timer that fires.
  virtual std::int64_t input_watermark() const = 0;
  // Runs `call` once, not before `delay_ms` from now, of equal delays the first first; what comes
  // in by then goes before. So an operator puts itself back into the queue.
  virtual void call_later(std::int64_t delay_ms, OperatorCall call) = 0;

  // ---- holding time back -------------------------------------------------------------------
  // The outputs are told no watermark of `timestamp` or above, so that rows of it are not late,
  // until the hold is moved or released. One per name. What the outputs have been told already
  // stays told. What was held back goes on when the current call has returned.
  virtual void hold_watermark(std::string_view name, std::int64_t timestamp) = 0;
  virtual void release_watermark(std::string_view name) = 0;
  // While a bundle is open, the operator is told neither watermark nor event-time timers nor the
  // end of an input, and those behind it are not told its end; batches still come. What was held
  // back comes when the last of them is closed and the current call has returned. As many as were
  // opened must be closed. In the end, a bundle is what keeps the operator alive for its mails and
  // processing-time timers.
  virtual void open_bundle() = 0;
  virtual void close_bundle() = 0;

  // ---- inputs ------------------------------------------------------------------------------
  // Reads nothing of that input until it is ungated: its rows, watermarks and end wait in their
  // channels, and their producers wait for them. One producer of many rows for both a gated input
  // and the one that it is gated for waits for ever: such an operator keeps the rows instead. The
  // rest of a batch that is being processed still comes. Throws InvalidInput for an input that is
  // not read from channels: a source, or an operator that is chained to its input.
  virtual void gate_input(std::uint32_t input) = 0;
  virtual void ungate_input(std::uint32_t input) = 0;

  // ---- state, mail, messages ---------------------------------------------------------------
  // One per name; lives as long as the operator.
  virtual KeyedState& keyed_state(std::string_view name) = 0;
  virtual OperatorMailbox mailbox() = 0;
  // A message for those who follow the job (JobClient::next_message). [any thread]
  virtual void tell(std::string text) = 0;
};

}  // namespace freshet
