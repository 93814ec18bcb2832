// A value or an error that somebody will deliver: Future reads it, Promise sets it.
//
// Threads    Every call from any thread. A waiting call blocks the thread outside of fibers.
//            Inside of a fiber it blocks the fiber alone, and throws Canceled once the fiber is
//            canceled.
// Copies     A Future is a handle: copies share one value. get() copies it out; a value that can
//            only be moved can be taken once, by one get() or one then().
// End        A Promise that dies unset delivers BrokenPromise, so nobody waits forever.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "freshet/api.h"
#include "freshet/detail/blocking.h"
#include "freshet/error.h"

namespace freshet {

template <class T>
class Future;
template <class T>
class Promise;

// The code that should have delivered a value has gone without doing so.
class FRESHET_API BrokenPromise : public Error {
 public:
  BrokenPromise();
  ~BrokenPromise() override;
};

namespace detail {

class FRESHET_API Continuation {
 public:
  virtual ~Continuation();
  virtual void run() noexcept = 0;

 private:
  friend class FutureStateBase;
  Continuation* next_ = nullptr;
};

class FRESHET_API FutureStateBase {
 public:
  FutureStateBase(const FutureStateBase&) = delete;
  FutureStateBase& operator=(const FutureStateBase&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool ready() const noexcept { return ready_.load(std::memory_order_acquire); }
  // By detail::deadline_clock_ns(); false: not ready by then.
  bool wait_until(std::int64_t deadline_ns);
  bool wait_for(std::int64_t milliseconds);
  // Takes ownership; runs it on the completing thread, or at once.
  void add(Continuation* continuation);

  const std::exception_ptr& error() const noexcept { return error_; }
  // The first to claim sets value or error and calls publish().
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  void publish() noexcept;
  void fail_as_broken() noexcept;

 protected:
  FutureStateBase() noexcept;
  virtual ~FutureStateBase();

 private:
  struct Sleeper;

  std::atomic<std::uint32_t> references_{1};
  std::atomic<bool> claimed_{false};
  std::atomic<bool> ready_{false};
  pthread_mutex_t mutex_;
  Sleeper* sleepers_ = nullptr;
  Continuation* first_ = nullptr;
  Continuation** end_ = &first_;
  std::exception_ptr error_;
};

struct Nothing {};

template <class T>
class FutureState final : public FutureStateBase {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Nothing, T>;
  std::optional<Value> value;
};

// A counted pointer; std::shared_ptr would bring <memory> into every job.
template <class State>
class StateRef {
 public:
  StateRef() = default;
  explicit StateRef(State* adopted) noexcept : state_(adopted) {}
  StateRef(const StateRef& other) noexcept : state_(other.state_) {
    if (state_) state_->retain();
  }
  StateRef(StateRef&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StateRef& operator=(StateRef other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StateRef() {
    if (state_) state_->release();
  }
  State* operator->() const noexcept { return state_; }
  State& operator*() const noexcept { return *state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  State* state_ = nullptr;
};

template <class T>
struct IsFuture : std::false_type {
  using Value = T;
};
template <class T>
struct IsFuture<Future<T>> : std::true_type {
  using Value = T;
};

// What a continuation is called with: the value, or, if it takes that instead, the Future itself
// (then it sees errors, too).
template <class T, class F>
struct ContinuationCall {
  using Argument = std::conditional_t<std::is_copy_constructible_v<T>, const T&, T&&>;
  static constexpr bool kTakesValue = std::is_invocable_v<F&, Argument>;
  static constexpr bool kTakesFuture = std::is_invocable_v<F&, Future<T>>;
};
template <class F>
struct ContinuationCall<void, F> {
  static constexpr bool kTakesValue = std::is_invocable_v<F&>;
  static constexpr bool kTakesFuture = std::is_invocable_v<F&, Future<void>>;
};

template <class T, class F>
decltype(auto) call_continuation(F& f, FutureState<T>& state, const Future<T>& future) {
  using Call = ContinuationCall<T, F>;
  if constexpr (!Call::kTakesValue) {
    return f(future);
  } else if constexpr (std::is_void_v<T>) {
    return f();
  } else {
    return f(static_cast<typename Call::Argument>(*state.value));
  }
}

}  // namespace detail

template <class T>
class [[nodiscard]] Future {
 public:
  using value_type = T;

  Future() = default;  // of nothing: only valid(), assignment and destruction
  bool valid() const noexcept { return static_cast<bool>(state_); }
  bool ready() const noexcept { return state_->ready(); }

  void wait() const { state_->wait_until(detail::kNever); }
  // False: not ready within that time.
  bool wait_for(std::int64_t milliseconds) const { return state_->wait_for(milliseconds); }

  // Waits; the value, or throws the error.
  T get() const {
    wait();
    return take();
  }
  // As get(), but gives up after that time: nullopt (for void: false).
  auto get_for(std::int64_t milliseconds) const {
    if constexpr (std::is_void_v<T>) {
      if (!wait_for(milliseconds)) return false;
      take();
      return true;
    } else {
      return wait_for(milliseconds) ? std::optional<T>(take()) : std::optional<T>();
    }
  }

  // Calls f(value) on the completing thread, or at once if ready; an error skips f and travels on.
  // An f that takes Future<T> is called in both cases. The future of f's result (of the inner
  // one's, if f returns a Future); what f throws is its error. f must not block.
  template <class F>
  auto then(F f) const {
    using Call = detail::ContinuationCall<T, F>;
    static_assert(Call::kTakesValue || Call::kTakesFuture,
                  "then(f): f takes neither the future's value nor the Future itself");
    using Returned = decltype(detail::call_continuation<T, F>(f, *state_, *this));
    using Result = typename detail::IsFuture<std::remove_cvref_t<Returned>>::Value;
    Promise<Result> promise;
    Future<Result> result = promise.future();
    state_->add(new Then<F, Result>(*this, std::move(f), std::move(promise)));
    return result;
  }

 private:
  friend class Promise<T>;
  using State = detail::FutureState<T>;
  explicit Future(detail::StateRef<State> state) noexcept : state_(std::move(state)) {}

  T take() const {
    if (state_->error()) std::rethrow_exception(state_->error());
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_copy_constructible_v<T>) {
      return *state_->value;
    } else {
      return std::move(*state_->value);
    }
  }

  template <class F, class Result>
  class Then final : public detail::Continuation {
   public:
    Then(Future future, F f, Promise<Result> promise)
        : future_(std::move(future)), f_(std::move(f)), promise_(std::move(promise)) {}
    void run() noexcept override {
      using Call = detail::ContinuationCall<T, F>;
      State& state = *future_.state_;
      if (Call::kTakesValue && state.error()) {
        promise_.set_error(state.error());
        return;
      }
      try {
        using Returned = decltype(detail::call_continuation<T, F>(f_, state, future_));
        if constexpr (detail::IsFuture<std::remove_cvref_t<Returned>>::value) {
          detail::call_continuation<T, F>(f_, state, future_).forward_to(std::move(promise_));
        } else if constexpr (std::is_void_v<Returned>) {
          detail::call_continuation<T, F>(f_, state, future_);
          promise_.set_value();
        } else {
          promise_.set_value(detail::call_continuation<T, F>(f_, state, future_));
        }
      } catch (...) {
        promise_.set_error(std::current_exception());
      }
    }

   private:
    Future future_;
    F f_;
    Promise<Result> promise_;
  };

  template <class>
  friend class Future;
  void forward_to(Promise<T> promise) const {
    auto deliver = [promise = std::move(promise)](const Future& done) mutable {
      if (done.state_->error()) {
        promise.set_error(done.state_->error());
      } else if constexpr (std::is_void_v<T>) {
        promise.set_value();
      } else {
        promise.set_value(done.take());
      }
    };
    static_cast<void>(then(std::move(deliver)));
  }

  detail::StateRef<State> state_;
};

template <class T>
class Promise {
 public:
  Promise() : state_(new detail::FutureState<T>) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Promise() { abandon(); }

  Future<T> future() const { return Future<T>(state_); }

  // Each returns false and changes nothing if value or error is set already. Continuations run
  // inside the call.
  template <class... Args>
  bool set_value(Args&&... args) {
    static_assert(!std::is_void_v<T> || sizeof...(Args) == 0, "a Promise<void> takes no value");
    if (!state_->claim()) return false;
    try {
      state_->value.emplace(std::forward<Args>(args)...);
    } catch (...) {
      state_->set_error(std::current_exception());
    }
    state_->publish();
    return true;
  }
  bool set_error(std::exception_ptr error) {
    if (!state_->claim()) return false;
    state_->set_error(std::move(error));
    state_->publish();
    return true;
  }

 private:
  void abandon() noexcept {
    if (state_) state_->fail_as_broken();
  }

  detail::StateRef<detail::FutureState<T>> state_;
};

template <class T>
Future<std::remove_cvref_t<T>> make_ready_future(T&& value) {
  Promise<std::remove_cvref_t<T>> promise;
  promise.set_value(std::forward<T>(value));
  return promise.future();
}
inline Future<void> make_ready_future() {
  Promise<void> promise;
  promise.set_value();
  return promise.future();
}
template <class T>
Future<T> make_failed_future(std::exception_ptr error) {
  Promise<T> promise;
  promise.set_error(std::move(error));
  return promise.future();
}

}  // namespace freshet
