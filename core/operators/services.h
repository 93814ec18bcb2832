// The services of one operator of a chain, and its time: with them, watermarks and ends of inputs
// go to the operator through here, so that bundles can hold them.
//
// Threads    The task's fiber, except tell().
// Errors     What the operator throws leaves the call, after its link has been noted as failed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/plugin/operator_services.h"
#include "operators/job_services.h"
#include "operators/outputs.h"
#include "operators/outside_mail.h"
#include "operators/task_host.h"
#include "state/byte_state.h"
#include "timers/timer_queue.h"

namespace freshet::core {

class FRESHET_API Services final : public OperatorServices {
 public:
  // The link's place and where it is noted that it runs or has failed; its outputs; its vertex.
  struct Place {
    Operator& op;
    std::uint32_t link;
    ChainPosition& position;
    std::vector<TaskOutput*> outputs;
    RuntimeContext& vertex;
    std::uint32_t vertex_place;
  };
  // All outlive it.
  Services(Place place, JobServices& job, TaskHost& host);
  ~Services() override;

  // ---- the chain's side --------------------------------------------------------------------
  void watermark(std::int64_t timestamp);
  // That input has ended, and others have not.
  void end_of_input(std::uint32_t input);
  // All have, `input` as the last: what is left of event time passes, then the operator is told.
  // Serves mails and timers while a bundle is open.
  void finish(std::uint32_t input);
  // Between calls: what is due now.
  void attend();
  // When attend() is needed next, by the monotonic clock; 0: at once.
  std::int64_t next_due_ns() const;
  // No mail, timer or delayed call runs any more. May repeat.
  void end() noexcept;

  // ---- the operator's side -----------------------------------------------------------------
  void set_timer(TimeDomain domain, std::int64_t timestamp, std::string_view family,
                 std::string_view tag, std::string_view key, std::int64_t hold) override;
  bool delete_timer(std::string_view family, std::string_view tag, std::string_view key) override;
  std::int64_t processing_time() const override;
  std::int64_t input_watermark() const override { return time_; }
  void call_later(std::int64_t delay_ms, OperatorCall call) override;
  void hold_watermark(std::string_view name, std::int64_t timestamp) override;
  void release_watermark(std::string_view name) override;
  void open_bundle() override { ++bundles_; }
  void close_bundle() override;
  void gate_input(std::uint32_t input) override;
  void ungate_input(std::uint32_t input) override;
  KeyedState& keyed_state(std::string_view name) override;
  OperatorMailbox mailbox() override { return OperatorMailbox(mail_); }
  void tell(std::string text) override;

 private:
  template <class Call>
  void guarded(Call&& call);
  void fire(const TimerQueue::Due& due);
  // Brings event time as far as it has come, unless a bundle holds it.
  void pass_time();
  bool time_is_due() const;
  // The outputs' limit by the least hold.
  std::int64_t limit() const;
  void lower_limit();
  void apply_limit();
  void gate(std::uint32_t input, bool gated);
  // Until no bundle is open and all that was held back has come.
  void settle();

  const Place place_;
  JobServices& job_;
  const Clock& clock_;
  TaskHost& host_;
  TimerQueue timers_;
  std::multimap<std::int64_t, OperatorCall> delayed_;  // by when they are due
  std::map<std::string, std::int64_t, std::less<>> holds_;
  std::multiset<std::int64_t> held_;     // their timestamps
  std::int64_t limit_ = kMaxWatermark;   // as the outputs have it
  std::int64_t arrived_ = kNoTimestamp;  // the input's watermark
  std::int64_t told_ = kNoTimestamp;     // the operator's
  std::int64_t time_ = kNoTimestamp;     // what timers go by
  std::vector<std::uint32_t> ended_inputs_;
  std::uint32_t bundles_ = 0;
  std::map<std::string, std::unique_ptr<ByteState>, std::less<>> states_;
  const std::shared_ptr<OutsideMail> mail_;
  bool ended_ = false;
};

}  // namespace freshet::core
