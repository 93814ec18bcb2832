// await(f): blocking code inside a job.
//
// Inside a fiber f runs on a helper thread while only this fiber is suspended, so that a slow file
// or service holds up one task and not its neighbours; outside it runs in place. The result or the
// exception comes back. f can't be canceled, since it may use the caller's variables: give it a
// time limit of its own. If the job has been canceled meanwhile, await throws Canceled when f has
// returned, except in close().
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "freshet/api.h"
#include "freshet/detail/blocking.h"

namespace freshet {

namespace detail {

FRESHET_API void run_blocking(void (*function)(void*), void* argument);

template <class F, class Result>
struct AwaitedCall {
  F& f;
  std::optional<Result> result;
  std::exception_ptr error;

  static void run(void* self) {
    auto& call = *static_cast<AwaitedCall*>(self);
    try {
      call.result.emplace(call.f());
    } catch (...) {
      call.error = std::current_exception();
    }
  }
};

template <class F>
struct AwaitedCall<F, void> {
  F& f;
  std::exception_ptr error;

  static void run(void* self) {
    auto& call = *static_cast<AwaitedCall*>(self);
    try {
      call.f();
    } catch (...) {
      call.error = std::current_exception();
    }
  }
};

}  // namespace detail

template <class F>
auto await(F&& f) {
  using Callable = std::remove_reference_t<F>;
  using Result = std::invoke_result_t<Callable&>;
  static_assert(!std::is_reference_v<Result>,
                "await(f): f returns a reference; return a value or a pointer");
  if (!detail::suspender()) return f();
  if constexpr (std::is_void_v<Result>) {
    detail::AwaitedCall<Callable, void> call{f, nullptr};
    detail::run_blocking(&decltype(call)::run, &call);
    if (call.error) std::rethrow_exception(call.error);
  } else {
    detail::AwaitedCall<Callable, Result> call{f, std::nullopt, nullptr};
    detail::run_blocking(&decltype(call)::run, &call);
    if (call.error) std::rethrow_exception(call.error);
    return Result(std::move(*call.result));
  }
}

}  // namespace freshet
