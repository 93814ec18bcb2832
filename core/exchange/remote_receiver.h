// The receiving end of channels whose writers are in other workers: the writer of ordinary channels
// towards a subtask, which it fills from frames.
//
// Credits    Each channel grants its writer as many frames as it has room for here, and one more
//            for each that it has taken. What comes beyond that is a broken peer.
// Waiting    Never for one channel while another can go on: a slow or gated one keeps its frames.
// Threads    run() is the function of a fiber on the reading subtask's thread; Input::put() is the
//            network thread's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "exchange/channel.h"
#include "exchange/frame.h"
#include "exchange/ring.h"
#include "freshet/api.h"
#include "network/network_thread.h"
#include "task/waiter.h"

namespace freshet::core {

// How many frames the writer of a channel may have under way.
struct FrameCredits {
  std::uint32_t most = 1;
  // Of rows that keep bytes outside of themselves, whose frames are larger.
  std::uint32_t with_extra = 1;
};

// What a channel gives back to the worker that writes it.
struct CreditGrant {
  std::uint32_t worker;
  std::uint32_t channel;
  std::uint32_t credits;
};

// [any thread, never waits]
class FRESHET_API CreditSink {
 public:
  virtual ~CreditSink();
  virtual void grant(const std::vector<CreditGrant>& grants) = 0;
};

// A frame that is not what a worker of this job sends.
class FRESHET_API BadFrame : public Error {
 public:
  BadFrame(std::uint32_t its_worker, const std::string& message);
  ~BadFrame() override;
  const std::uint32_t worker;
};

class FRESHET_API RemoteReceiver {
 public:
  class FRESHET_API Input {
   public:
    Input(RemoteReceiver& receiver, Channel& channel, std::uint32_t input, std::uint32_t number,
          std::uint32_t worker, FrameCredits credits)
        : receiver_(receiver),
          channel_(channel),
          input_(input),
          number_(number),
          worker_(worker),
          credits_(credits),
          pending_(credits.most) {}
    std::uint32_t worker() const { return worker_; }
    // False: it has no credit for it. [network thread]
    bool put(std::unique_ptr<NetworkMessage> frame);

   private:
    friend class RemoteReceiver;
    bool is_idle() { return !frame_ && pending_.empty() && !ended_; }
    RemoteReceiver& receiver_;
    Channel& channel_;
    const std::uint32_t input_;  // of the subtask
    const std::uint32_t number_;
    const std::uint32_t worker_;
    const FrameCredits credits_;
    std::uint32_t granted_ = 0;  // at first
    Ring<std::unique_ptr<NetworkMessage>> pending_;
    std::unique_ptr<NetworkMessage> frame_;  // is being read
    FrameReader reader_;
    Batch* batch_ = nullptr;  // obtained and not filled
    bool wants_batch_ = false;
    bool ended_ = false;
    std::uint32_t owed_ = 0;
  };

  // Sink and budget outlive the receiver.
  explicit RemoteReceiver(CreditSink& credits) : credits_(credits) {}
  ~RemoteReceiver();

  Waiter& waiter() { return waiter_; }  // the writer of its channels
  // Before run(). The input is valid as long as the receiver; the channel outlives it.
  Input& add(Channel& channel, std::uint32_t input, std::uint32_t number, std::uint32_t worker,
             FrameCredits credits);

  // Until every channel has ended. `type_of` tells the rows that the subtask reads from an input.
  // Throws Canceled, and BadFrame.
  void run(const std::function<const RecordType&(std::uint32_t input)>& type_of);

 private:
  bool advance(Input& input);
  void take_element(Input& input);
  bool can_advance(Input& input);
  void grant_owed();

  CreditSink& credits_;
  Waiter waiter_;
  std::deque<Input> inputs_;
  std::size_t open_ = 0;
  std::vector<CreditGrant> grants_;
};

}  // namespace freshet::core
