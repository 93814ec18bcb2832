// Shared ownership of an object whose destructor waits for threads: the last reference may be let
// go anywhere, also on one of these threads, as in the continuation of a future.
//
//   const std::shared_ptr<Node> node = share_with_own_threads(std::make_unique<Node>(...));
//
// Threads    Any. Outside of the runtime's threads the destructor runs at once, so it is over when
//            the last reference is gone. On a thread of the runtime, where waiting could mean to
//            wait for oneself, it runs on a thread of its own.
// End        A process that exits waits for such destructors, for a second at most.
#pragma once

#include <memory>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"

namespace freshet::core {

// Marks the thread that makes it as one of the runtime, while it exists. Threads that run fibers
// need no mark.
class FRESHET_API RuntimeThreadMark {
 public:
  RuntimeThreadMark();
  ~RuntimeThreadMark();
  RuntimeThreadMark(const RuntimeThreadMark&) = delete;
  RuntimeThreadMark& operator=(const RuntimeThreadMark&) = delete;
};

// Whether the calling thread is one of the runtime: it runs fibers, or bears the mark.
FRESHET_API bool on_runtime_thread() noexcept;

// Calls it here, or, on a thread of the runtime, on a thread of its own.
FRESHET_API void call_where_waiting_is_allowed(detail::UniqueFunction<void()> end);
template <class T>
std::shared_ptr<T> share_with_own_threads(std::unique_ptr<T> object) {
  return {object.release(),
          [](T* last) { call_where_waiting_is_allowed([last] { delete last; }); }};
}

}  // namespace freshet::core
