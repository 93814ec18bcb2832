// The sending end of channels whose readers are in other workers: the reader of ordinary channels,
// which turns their elements into frames.
//
// Credits    A frame costs one; the reading worker gives one back when it has taken the frame. A
//            channel without credits waits, the others go on.
// Threads    run() is the function of a fiber on the writing subtask's thread; grant() is for any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "exchange/channel.h"
#include "exchange/frame.h"
#include "freshet/api.h"
#include "task/waiter.h"

namespace freshet::core {

// Where frames go. [any thread, never waits]
class FRESHET_API FrameSink {
 public:
  virtual ~FrameSink();
  virtual void send(std::uint32_t worker, FramePointer frame) = 0;
};

class FRESHET_API RemoteSender {
 public:
  static constexpr std::uint32_t kMostCredits = 1u << 20;

  class Output {
   public:
    Output(RemoteSender& sender, std::uint32_t number, std::uint32_t worker)
        : sender_(sender), number_(number), worker_(worker) {}
    std::uint32_t worker() const { return worker_; }
    // False: more than anybody may have. [any thread]
    bool grant(std::uint32_t credits);

   private:
    friend class RemoteSender;
    bool can_send() {
      return !ended_ && credits_.load(std::memory_order_acquire) > 0 && !channel_->empty();
    }
    RemoteSender& sender_;
    Channel* channel_ = nullptr;
    const std::uint32_t number_;
    const std::uint32_t worker_;
    std::atomic<std::uint32_t> credits_{0};
    bool ended_ = false;
  };

  // Everything outlives the sender.
  RemoteSender(FrameSink& sink, std::shared_ptr<FramePool> pool);

  Waiter& waiter() { return waiter_; }  // the reader of its channels
  // Before run(). The output is valid as long as the sender.
  Output& add(std::uint32_t number, std::uint32_t worker);
  static void connect(Output& output, Channel& channel) { output.channel_ = &channel; }

  // Until every channel has ended. Throws Canceled, and what is wrong with a record.
  void run();
  // Wants no more of its channels; their writers go on.
  void abandon() noexcept;

 private:
  void send_frame(Output& output);

  FrameSink& sink_;
  const std::shared_ptr<FramePool> pool_;
  Waiter waiter_;
  std::deque<Output> outputs_;
  std::size_t open_ = 0;
};

}  // namespace freshet::core
