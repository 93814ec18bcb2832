// Peers that a listener does not know, or that are not what it expects.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "network/endpoint.h"
#include "security/keys.h"

namespace freshet::testing {
using namespace core;

// libzmq as somebody else uses it; one attempt to connect.
class Stranger {
 public:
  explicit Stranger(int type = ZMQ_DEALER)
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, type)) {
    const int no = -1, zero = 0, patience = 30'000;
    zmq_setsockopt(socket_, ZMQ_RECONNECT_IVL, &no, sizeof no);
    zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &patience, sizeof patience);
  }
  ~Stranger() {
    zmq_close(socket_);
    if (events_) zmq_close(events_);
    zmq_ctx_term(context_);
  }
  void use_curve(const KeyPair& own, const PublicKey& server) {
    zmq_setsockopt(socket_, ZMQ_CURVE_SERVERKEY, server.data(), server.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_PUBLICKEY, own.public_key.data(), own.public_key.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_SECRETKEY, own.secret_key.data(), own.secret_key.size());
  }
  void connect(const std::string& endpoint) {
    zmq_socket_monitor(socket_, "inproc://stranger", ZMQ_EVENT_ALL);
    events_ = zmq_socket(context_, ZMQ_PAIR);
    zmq_connect(events_, "inproc://stranger");
    ASSERT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
  }
  // To nobody if the connection has been refused by now: a send that may wait would wait for ever.
  void send(const std::string& bytes, int flags = 0) {
    zmq_send(socket_, bytes.data(), bytes.size(), flags | ZMQ_DONTWAIT);
  }
  // True: the handshake went through. False: the connection ended without.
  bool is_let_in() {
    for (;;) {
      zmq_msg_t head, endpoint;
      zmq_msg_init(&head);
      zmq_msg_init(&endpoint);
      if (zmq_msg_recv(&head, events_, 0) < 0) return false;
      std::uint16_t event;
      std::memcpy(&event, zmq_msg_data(&head), sizeof event);
      zmq_msg_recv(&endpoint, events_, 0);
      zmq_msg_close(&head);
      zmq_msg_close(&endpoint);
      if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return true;
      if (event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return false;
    }
  }

 private:
  void* context_;
  void* socket_;
  void* events_ = nullptr;
};

// Bytes on a plain TCP connection.
class PlainConnection {
 public:
  explicit PlainConnection(const std::string& endpoint)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(parse_endpoint(endpoint).port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~PlainConnection() { ::close(socket_); }
  void send(const std::string& bytes) {
    static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }
  // Reads to the end that the other side makes.
  void wait_for_end() {
    char bytes[256];
    while (::recv(socket_, bytes, sizeof bytes, 0) > 0) {
    }
  }
  // Whether the other side has ended it by now.
  bool has_ended() {
    char bytes[256];
    ssize_t got = 0;
    while ((got = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    }
    return got == 0 || errno != EAGAIN;
  }

 private:
  int socket_;
};

// This process may open so many descriptors as long as it lives.
class LowDescriptorLimit {
 public:
  explicit LowDescriptorLimit(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = most;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  ~LowDescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  LowDescriptorLimit(const LowDescriptorLimit&) = delete;
  LowDescriptorLimit& operator=(const LowDescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

// Connections that are held, in the order in which they came.
class SilentCrowd {
 public:
  SilentCrowd(const std::string& endpoint, int count) {
    for (int i = 0; i < count; ++i) all_.push_back(std::make_unique<PlainConnection>(endpoint));
  }
  // From the first one on.
  std::size_t count_ended() const {
    const auto first_open =
        std::find_if(all_.begin(), all_.end(), [](const auto& each) { return !each->has_ended(); });
    return static_cast<std::size_t>(first_open - all_.begin());
  }
  std::size_t count_open() const {
    return static_cast<std::size_t>(std::count_if(
        all_.begin(), all_.end(), [](const auto& each) { return !each->has_ended(); }));
  }

 private:
  std::vector<std::unique_ptr<PlainConnection>> all_;
};

// How a ZeroMQ peer with CURVE begins.
inline const std::string kCurveGreeting = std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01", 12) +
                                          std::string("CURVE", 5) + std::string(15 + 32, '\0');

}  // namespace freshet::testing
