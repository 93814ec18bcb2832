// A job manager's part in the election of its cluster, and what it keeps while it leads.
//
// Threads    The control thread; what is called back is so within the call if it is done at once.
// End        Once lost() the job manager is none any more: nothing is written, and no callback
//            comes. The destructor gives up what it leads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/plugin/high_availability.h"
#include "high_availability/kept_jobs.h"
#include "high_availability/persistence.h"
#include "network/transport.h"

namespace freshet::core {

class FRESHET_API Leadership final : private Contender {
 public:
  Leadership(ControlThread& thread, std::unique_ptr<HighAvailability> service,
             std::string candidate);
  ~Leadership() override;
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  // Once. What `granted` throws leaves campaign() if it leads at once, else it is a broken
  // invariant. `lost` is called at most once: another one leads, or may.
  void campaign(std::function<void()> granted, std::function<void(const std::string& reason)> lost);
  // Where it serves, tried until it is done.
  void publish(const Address& address, std::function<void()> done);
  // Does not wait longer than 5 s.
  void give_up(std::function<void()> done);

  bool leads() const { return term_ != 0 && !persistence_.lost(); }
  std::uint64_t term() const { return term_; }  // 0: it has not led yet
  KeptJobs& jobs() { return jobs_; }
  std::string describe() const { return service_->describe(); }

 private:
  void granted(std::uint64_t term) override;
  void revoked(std::uint64_t term, const std::string& reason) override;
  void begin(std::uint64_t term);

  ControlThread& thread_;
  std::unique_ptr<HighAvailability> service_;
  const std::string candidate_;
  Persistence persistence_;
  KeptJobs jobs_;
  std::function<void()> on_granted_;
  std::function<void(const std::string&)> on_lost_;
  bool campaigns_ = false;  // within campaign(); of the control thread
  std::uint64_t term_ = 0;
  Alive alive_;
};

}  // namespace freshet::core
