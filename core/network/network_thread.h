// The one thread of a process that owns its ZeroMQ sockets, those of the control transport and
// those of the data plane.
//
//   NetworkThread network;
//   network.call([&] {                                        // or post(), which does not wait
//     NetworkSocket& socket = network.open(ZMQ_DEALER, [&](NetworkSocket& here) {
//       while (here.receive(message)) take(message);          // or one: it is called again
//     });
//     socket.set(ZMQ_SNDHWM, 0);
//     socket.connect(endpoint);
//   });
//
// Threads    post(), call() and is_current() from any; all else, a NetworkSocket's calls too, from
//            the network thread: in posted functions and in on_readable. Neither may wait; what
//            they let out ends the process.
// Waiting    The thread sleeps in the kernel while no socket is readable and nothing is posted. It
//            has no timers.
// Sockets    Made with linger 0, no high-water marks, and a limit of 64 MiB a frame. Set what else
//            is wanted before bind() and connect(). Close every one before the thread ends.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "freshet/error.h"
#include "freshet/future.h"
#include "task/forked_child.h"
#include "task/waiter.h"

namespace freshet::core {

inline constexpr std::size_t kMostFrameBytes = std::size_t{64} << 20;
// What the wire adds to a frame, which libzmq counts against its limit: CURVE makes each a command
// with a nonce and a tag, 33 bytes more.
inline constexpr std::size_t kMostWireBytes = 64;

// A call of ZeroMQ has failed. `number` is its errno.
class FRESHET_API NetworkError : public Error {
 public:
  NetworkError(const std::string& message, int its_number);
  ~NetworkError() override;
  const int number;
};

class NetworkThread;

// One ZeroMQ socket. [network thread]
class FRESHET_API NetworkSocket {
 public:
  NetworkSocket(const NetworkSocket&) = delete;
  NetworkSocket& operator=(const NetworkSocket&) = delete;
  ~NetworkSocket();

  // Each throws NetworkError. An address of IPv6 stands in brackets.
  void set(int option, int value);
  void set(int option, const std::string& value);
  void bind(const std::string& endpoint);
  void connect(const std::string& endpoint);
  void unbind(const std::string& endpoint);
  // What it was bound to at last, with the port that was drawn.
  std::string last_endpoint() const;
  // Events of ZeroMQ's socket monitor `events`, sent to the inproc endpoint.
  void monitor(const std::string& inproc_endpoint, int events);
  // Before the reader of its events is closed: libzmq waits for ever to send one to nobody.
  void stop_monitor() noexcept;

  // 0: sent, and `message` is empty now. Else errno: EAGAIN, EHOSTUNREACH, ...; the message stays.
  [[nodiscard]] int send(zmq_msg_t& message, int flags = 0);
  [[nodiscard]] int send(const void* bytes, std::size_t size, int flags = 0);  // copies them
  // False: nothing is there. `message` is initialised; what it held is freed.
  [[nodiscard]] bool receive(zmq_msg_t& message);
  // Whether there is something to receive.
  bool is_readable();

 private:
  friend class NetworkThread;
  using OnReadable = detail::UniqueFunction<void(NetworkSocket&)>;
  NetworkSocket(NetworkThread& thread, void* socket, OnReadable on_readable);
  template <class Send>
  int try_to_send(Send send);
  void allow_family_of(const std::string& endpoint);
  void look_again();

  NetworkThread& thread_;
  void* socket_;
  int descriptor_ = -1;
  bool to_look_at_ = false;  // is in thread_.to_look_at_
  OnReadable on_readable_;
};

// A message that frees itself.
class NetworkMessage {
 public:
  NetworkMessage() { zmq_msg_init(&message_); }
  ~NetworkMessage() { zmq_msg_close(&message_); }
  NetworkMessage(const NetworkMessage&) = delete;
  NetworkMessage& operator=(const NetworkMessage&) = delete;
  operator zmq_msg_t&() { return message_; }
  const char* data() { return static_cast<const char*>(zmq_msg_data(&message_)); }
  std::size_t size() const { return zmq_msg_size(&message_); }
  bool more() const { return zmq_msg_more(&message_) != 0; }
  // A property that the sender's connection has proved or told, "User-Id"; "" if there is none.
  std::string property(const char* name) {
    const char* value = zmq_msg_gets(&message_, name);
    return value ? value : "";
  }
  // The descriptor of the connection it came by, as socket monitors name it; -1: none.
  int descriptor() const { return zmq_msg_get(&message_, ZMQ_SRCFD); }

 private:
  zmq_msg_t message_;
};

class FRESHET_API NetworkThread {
 public:
  using Function = detail::UniqueFunction<void()>;

  // Throws NetworkError if descriptors or threads are short.
  explicit NetworkThread(const std::string& name = "fr-net", int io_threads = 1);
  // Runs what is posted, then ends the thread. [a thread that is not it]
  ~NetworkThread();
  NetworkThread(const NetworkThread&) = delete;
  NetworkThread& operator=(const NetworkThread&) = delete;

  // Runs there, in the order of posting. [any thread]
  void post(Function function);
  // Waits for the result, or throws what the function throws; blocks the fiber in a fiber, else the
  // thread. At once on the network thread itself. A canceled fiber leaves it with Canceled while
  // the function still runs: not for fibers that get canceled. [any thread]
  template <class F>
  auto call(F function) -> decltype(function());
  bool is_current() const noexcept;  // [any thread]

  // [network thread] `on_readable` is called while there is something to receive.
  NetworkSocket& open(int zmq_type, NetworkSocket::OnReadable on_readable);
  // [network thread] Also from a socket's own on_readable, which must not use it any more.
  void close(NetworkSocket& socket);

 private:
  friend class NetworkSocket;
  // What a fiber in call() waits for: its Waiter outlives the wake.
  struct Answered {
    std::atomic<bool> yes{false};
    Waiter waiter;
  };
  static void wait_in_fiber(Answered& answered);

  void run();
  void wait();
  void run_posted();
  void look_at_sockets();

  void* context_;
  int epoll_ = -1;
  int posted_event_ = -1;
  std::mutex mutex_;
  std::vector<Function> posted_;
  bool ending_ = false;
  std::vector<std::unique_ptr<NetworkSocket>> sockets_;
  std::vector<std::unique_ptr<NetworkSocket>> closed_;  // until no callback can be running in them
  std::vector<NetworkSocket*> to_look_at_;
  const RuntimeThreads counted_;
  std::thread thread_;
};

template <class F>
auto NetworkThread::call(F function) -> decltype(function()) {
  using Result = decltype(function());
  if (is_current()) return function();
  Promise<Result> promise;
  Future<Result> result = promise.future();
  auto answered = std::make_shared<Answered>();
  post([promise = std::move(promise), function = std::move(function), answered]() mutable {
    {
      // Let go of before the caller is woken: an exception is the caller's alone by then.
      Promise<Result> ours = std::move(promise);
      try {
        if constexpr (std::is_void_v<Result>) {
          function();
          ours.set_value();
        } else {
          ours.set_value(function());
        }
      } catch (...) {
        ours.set_error(std::current_exception());
      }
    }
    answered->yes.store(true, std::memory_order_release);
    answered->waiter.wake();
  });
  wait_in_fiber(*answered);
  return result.get();
}

}  // namespace freshet::core
