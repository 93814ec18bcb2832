// Takes files away that nobody needs any more: those that none of what runs here needs, and that
// were not used for a time. So a client may put a file first and submit what needs it later.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "blobs/blob_storage.h"
#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"

namespace freshet::core {

class FRESHET_API BlobSweep {
 public:
  static constexpr std::int64_t kMaxIdleMs = 3'600'000;  // the default of blob.max-idle

  using Needed = std::function<std::set<std::string>()>;  // hashes
  // Looks four times in `max_idle_ms`. All outlives it; `needed` is not called after stop().
  BlobSweep(ControlThread& thread, BlobStorage& blobs, std::int64_t max_idle_ms, Needed needed);
  ~BlobSweep();

  void used(const std::string& sha256);
  void stop();

 private:
  void schedule();
  void sweep();
  std::int64_t now_ms() const { return thread_.clock().now_ns() / 1'000'000; }

  ControlThread& thread_;
  BlobStorage& blobs_;
  const std::int64_t max_idle_ms_;
  const Needed needed_;
  std::map<std::string, std::int64_t> last_used_ms_;
  Alive alive_;
};

}  // namespace freshet::core
