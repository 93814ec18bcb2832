// What every process of a cluster, and every client of one, has to talk: a control thread, a
// network thread, who it lets in, and a transport with its own keys.
//
// Threads    Made and destroyed outside of the control thread; run() from any other.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "clock/clock.h"
#include "control/control_thread.h"
#include "freshet/future.h"
#include "network/network_thread.h"
#include "network/zap_handler.h"
#include "network/zeromq_transport.h"
#include "security/keys.h"

namespace freshet::core {

class ClusterNode {
 public:
  // `clock` is the system's (SchedulerPool) and outlives it.
  ClusterNode(const Clock& clock, KeyPair keys)
      : keys_(std::move(keys)),
        zap_(clock, network_),
        control_(std::make_unique<OwnControlThread>(clock)),
        transport_(std::make_unique<ZeroMqTransport>(*control_, network_, zap_, keys_)) {}
  ~ClusterNode() {
    run([this] { transport_.reset(); });
    control_.reset();
  }
  ClusterNode(const ClusterNode&) = delete;
  ClusterNode& operator=(const ClusterNode&) = delete;

  ControlThread& control() { return *control_; }
  Transport& transport() { return *transport_; }
  NetworkThread& network() { return network_; }
  ZapHandler& zap() { return zap_; }
  const KeyPair& keys() const { return keys_; }

  // Runs it in a fiber of the control thread and waits. Throws what it throws.
  template <class F>
  auto run(F function) -> decltype(function()) {
    using Result = decltype(function());
    Promise<Result> promise;
    Future<Result> result = promise.future();
    control_->post("node: run", [&function, promise = std::move(promise)]() mutable {
      try {
        if constexpr (std::is_void_v<Result>) {
          function();
          promise.set_value();
        } else {
          promise.set_value(function());
        }
      } catch (...) {
        promise.set_error(std::current_exception());
      }
    });
    return result.get();
  }

 private:
  const KeyPair keys_;
  NetworkThread network_;
  ZapHandler zap_;
  std::unique_ptr<OwnControlThread> control_;
  std::unique_ptr<ZeroMqTransport> transport_;
};

}  // namespace freshet::core
