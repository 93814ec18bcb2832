// Says whether its owner still lives, to what runs later and would touch it: a timer, a posted
// function, the continuation of a future.
//
//   class Role { … Alive alive_; };  // last member
//   thread.post("role: next", alive_.guard([this] { next(); }));
//   on_done(link.ask(message), alive_.guard(…)) is written alive_.on_done(link.ask(message), f)
//
// Threads    One.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "freshet/future.h"

namespace freshet::core {

class Alive {
 public:
  Alive() : token_(std::make_shared<char>()) {}
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  // From here on nothing guarded runs.
  void end() { token_.reset(); }

  // Calls f unless the owner has ended.
  template <class F>
  auto guard(F f) const {
    return [token = std::weak_ptr<char>(token_), f = std::move(f)](auto&&... args) mutable {
      if (!token.expired()) f(std::forward<decltype(args)>(args)...);
    };
  }
  // Calls f(Future<T>) once it is ready, at once if it is.
  template <class T, class F>
  void on_done(const Future<T>& future, F f) const {
    const auto ignored = future.then(
        [token = std::weak_ptr<char>(token_), f = std::move(f)](Future<T> done) mutable {
          if (!token.expired()) f(std::move(done));
        });
    static_cast<void>(ignored);
  }

 private:
  std::shared_ptr<char> token_;
};

// The words of a future that has failed; empty if it has a value.
template <class T>
std::string error_of(const Future<T>& done) {
  try {
    static_cast<void>(done.get());
    return "";
  } catch (const std::exception& error) {
    return *error.what() ? error.what() : "failed without a message";
  }
}
inline std::string error_of(const Future<void>& done) {
  try {
    done.get();
    return "";
  } catch (const std::exception& error) {
    return *error.what() ? error.what() : "failed without a message";
  }
}

template <class T, class E>
Future<T> failed(const E& error) {
  return make_failed_future<T>(std::make_exception_ptr(error));
}

}  // namespace freshet::core
