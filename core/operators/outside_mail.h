// The runtime's end of an OperatorMailbox: how other threads get into an operator's fiber.
//
// Holds no more of the task than it needs, and nothing after end(): posters may outlive the job.
//
// Threads    post() and fail() from any; the rest on the task's fiber.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "freshet/api.h"
#include "freshet/plugin/operator_services.h"
#include "task/mailbox.h"

namespace freshet::core {

class FRESHET_API OutsideMail final : public OperatorMailbox::Target,
                                      public std::enable_shared_from_this<OutsideMail> {
 public:
  // Tells the failure on; called from any thread, under the lock that end() takes.
  using Fail = detail::UniqueFunction<void(std::string text)>;
  // Runs a call as one of the operator's, on its fiber.
  using Run = detail::UniqueFunction<void(OperatorCall& call)>;

  OutsideMail(Mailbox& mailbox, Run run, Fail fail);
  ~OutsideMail() override;

  Future<void> post(OperatorCall call) override;
  void fail(std::string text) override;
  // What lies in the box is destroyed without having run, which tells those who wait for its
  // answer, and posting fails. May repeat.
  void end() noexcept;

 private:
  void take();

  std::mutex mutex_;
  Mailbox* mailbox_;  // null after the end
  Run run_;
  Fail fail_;
  std::deque<OperatorCall> lying_;     // one for each of ours in the mailbox
  std::deque<Promise<void>> waiting_;  // of those who posted when it was full
};

}  // namespace freshet::core
