#include "blobs/blob_sweep.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace freshet::core {

BlobSweep::BlobSweep(ControlThread& thread, BlobStorage& blobs, std::int64_t max_idle_ms,
                     Needed needed)
    : thread_(thread), blobs_(blobs), max_idle_ms_(max_idle_ms), needed_(std::move(needed)) {
  schedule();
}

// Its thread may have ended: the timer is not touched, and finds nobody.
BlobSweep::~BlobSweep() { stop(); }
void BlobSweep::stop() { alive_.end(); }

void BlobSweep::used(const std::string& sha256) { last_used_ms_[sha256] = now_ms(); }

void BlobSweep::schedule() {
  thread_.after_ms(std::max<std::int64_t>(max_idle_ms_ / 4, 1), "files that are not needed",
                   alive_.guard([this] {
                     sweep();
                     schedule();
                   }));
}

void BlobSweep::sweep() {
  const std::set<std::string> needed = needed_();
  std::map<std::string, std::int64_t> last_used_ms;
  for (const std::string& sha256 : blobs_.all()) {
    const auto known = last_used_ms_.find(sha256);
    const std::int64_t last =
        known == last_used_ms_.end() || needed.count(sha256) ? now_ms() : known->second;
    if (now_ms() - last < max_idle_ms_) {
      last_used_ms.emplace(sha256, last);
      continue;
    }
    try {
      blobs_.remove(sha256);
      spdlog::info("file {} was not used for {} ms (blob.max-idle), and is removed", sha256,
                   max_idle_ms_);
    } catch (const std::exception& error) {
      spdlog::warn("a file that is not needed can't be removed: {}", error.what());
    }
  }
  last_used_ms_ = std::move(last_used_ms);
}

}  // namespace freshet::core
