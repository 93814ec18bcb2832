// Calls of a high-availability service that must come to an end: each is tried again, after a pause
// that grows from 100 ms to 5 s, until it is done or the leadership is lost.
//
// Threads    The control thread; results come there, within the call if they are there at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/future.h"
#include "freshet/plugin/high_availability.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {

// Calls f(future) on the control thread once it is ready, at once if it is.
template <class T, class F>
void on_control(ControlThread& thread, const Alive& alive, const Future<T>& future, F f) {
  if (future.ready()) {
    f(future);
    return;
  }
  auto guarded = alive.guard(std::move(f));
  static_cast<void>(future.then([&thread, guarded = std::move(guarded)](Future<T> done) mutable {
    thread.post("high availability: answered",
                [guarded = std::move(guarded), done = std::move(done)]() mutable {
                  guarded(std::move(done));
                });
  }));
}

// What a plugin's call gives; a call that throws, or gives no future, has failed.
template <class T, class Call>
Future<T> answer_of(Call& call) {
  try {
    Future<T> future = call();
    if (future.valid()) return future;
    return failed<T>(StoreUnavailable("the high-availability service gave no future"));
  } catch (...) {
    return make_failed_future<T>(std::current_exception());
  }
}

class FRESHET_API Persistence {
 public:
  // `lost` is called once, with the service's words. All outlives it.
  Persistence(ControlThread& thread, std::function<void(const std::string& reason)> lost);
  ~Persistence();

  // `what` as in "the result of job '4711' can't be stored". `waits` is told each time that it has
  // failed for now.
  template <class T>
  void until_done(std::string what, std::function<Future<T>()> call,
                  std::function<void(const Future<T>&)> done,
                  std::function<void(const std::string& error)> waits = {});

  enum class Outcome : std::uint8_t { kDone, kLost, kFailed };
  template <class T>
  static Outcome outcome_of(const Future<T>& future, std::string& error);
  // As a call has told.
  void lose(const std::string& reason);
  bool lost() const { return !lost_; }
  const Alive& alive() const { return alive_; }

 private:
  static constexpr std::int64_t kFirstPauseMs = 100, kLongestPauseMs = 5'000;
  template <class T>
  struct Call {
    std::string what;
    std::function<Future<T>()> call;
    std::function<void(const Future<T>&)> done;
    std::function<void(const std::string& error)> waits;
    std::int64_t pause_ms = kFirstPauseMs;
  };
  template <class T>
  void attempt(Call<T> call);
  static Outcome outcome_of_current_exception(std::string& error);
  void tell(const std::string& what, const std::string& error, std::int64_t pause_ms) const;

  ControlThread& thread_;
  std::function<void(const std::string&)> lost_;  // empty: it was called
  Alive alive_;
};

template <class T>
Persistence::Outcome Persistence::outcome_of(const Future<T>& future, std::string& error) {
  try {
    static_cast<void>(future.get());
    return Outcome::kDone;
  } catch (...) {
    return outcome_of_current_exception(error);
  }
}

template <class T>
void Persistence::until_done(std::string what, std::function<Future<T>()> call,
                             std::function<void(const Future<T>&)> done,
                             std::function<void(const std::string&)> waits) {
  attempt(Call<T>{std::move(what), std::move(call), std::move(done), std::move(waits)});
}

template <class T>
void Persistence::attempt(Call<T> call) {
  if (lost()) return;
  const Future<T> answer = takes_rare_path(RarePath::kStoreUnavailable)
                               ? failed<T>(StoreUnavailable("it can't be reached now"))
                               : answer_of<T>(call.call);
  on_control(
      thread_, alive_, answer, [this, call = std::move(call)](const Future<T>& future) mutable {
        std::string error;
        const Outcome outcome = outcome_of(future, error);
        if (lost()) return;
        if (outcome == Outcome::kDone) {
          call.done(future);
          return;
        }
        if (outcome == Outcome::kLost) {
          lose(error);
          return;
        }
        tell(call.what, error, call.pause_ms);
        if (call.waits) call.waits(error);
        const std::int64_t pause_ms = call.pause_ms;
        call.pause_ms = std::min(2 * pause_ms, kLongestPauseMs);
        thread_.after_ms(
            pause_ms, "high availability: again",
            alive_.guard([this, call = std::move(call)]() mutable { attempt(std::move(call)); }));
      });
}

}  // namespace freshet::core
