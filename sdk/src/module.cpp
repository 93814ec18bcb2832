#include "freshet/plugin/module.h"

#include <atomic>

namespace freshet {
namespace {

constinit std::atomic<const ModuleAnchor*> last_announced{nullptr};

}  // namespace

void announce_module(ModuleAnchor& anchor) noexcept {
  anchor.next = last_announced.load(std::memory_order_relaxed);
  while (!last_announced.compare_exchange_weak(anchor.next, &anchor, std::memory_order_release,
                                               std::memory_order_relaxed)) {
  }
}

const ModuleAnchor* announced_modules() noexcept {
  return last_announced.load(std::memory_order_acquire);
}

}  // namespace freshet
