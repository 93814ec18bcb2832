#include "network/network_thread.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

#include "posix/descriptor_limit.h"
#include "task/fiber_thread.h"
#include "task/shared_end.h"

namespace freshet::core {
namespace {

[[noreturn]] void fail(const std::string& what) {
  const int number = zmq_errno();
  throw NetworkError(what + ": " + zmq_strerror(number), number);
}

}  // namespace

NetworkError::NetworkError(const std::string& message, int its_number)
    : Error(message), number(its_number) {}
NetworkError::~NetworkError() = default;

NetworkSocket::NetworkSocket(NetworkThread& thread, void* socket, OnReadable on_readable)
    : thread_(thread), socket_(socket), on_readable_(std::move(on_readable)) {
  std::size_t size = sizeof descriptor_;
  if (zmq_getsockopt(socket_, ZMQ_FD, &descriptor_, &size) != 0) {
    zmq_close(socket_);
    fail("ZeroMQ does not tell the descriptor of a socket");
  }
  const std::int64_t most = kMostFrameBytes + kMostWireBytes;
  zmq_setsockopt(socket_, ZMQ_MAXMSGSIZE, &most, sizeof most);
  const int zero = 0;
  for (int option : {ZMQ_LINGER, ZMQ_SNDHWM, ZMQ_RCVHWM}) {
    zmq_setsockopt(socket_, option, &zero, sizeof zero);
  }
}

NetworkSocket::~NetworkSocket() {
  if (socket_) zmq_close(socket_);
}

void NetworkSocket::set(int option, int value) {
  if (zmq_setsockopt(socket_, option, &value, sizeof value) != 0)
    fail("ZeroMQ's socket option " + std::to_string(option) + " can't be set to " +
         std::to_string(value));
}
void NetworkSocket::set(int option, const std::string& value) {
  if (zmq_setsockopt(socket_, option, value.data(), value.size()) != 0)
    fail("ZeroMQ's socket option " + std::to_string(option) + " can't be set");
}
// libzmq takes an address of IPv6 for a name that can't be resolved otherwise.
void NetworkSocket::allow_family_of(const std::string& endpoint) {
  if (endpoint.find('[') != std::string::npos) set(ZMQ_IPV6, 1);
}
void NetworkSocket::bind(const std::string& endpoint) {
  allow_family_of(endpoint);
  if (zmq_bind(socket_, endpoint.c_str()) != 0) fail("can't listen on '" + endpoint + "'");
  look_again();
}
void NetworkSocket::connect(const std::string& endpoint) {
  allow_family_of(endpoint);
  if (zmq_connect(socket_, endpoint.c_str()) != 0) fail("can't connect to '" + endpoint + "'");
  look_again();
}
void NetworkSocket::unbind(const std::string& endpoint) {
  if (zmq_unbind(socket_, endpoint.c_str()) != 0) fail("can't end listening on '" + endpoint + "'");
  look_again();
}

std::string NetworkSocket::last_endpoint() const {
  std::array<char, 1024> name;
  std::size_t size = name.size();
  if (zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, name.data(), &size) != 0)
    fail("ZeroMQ does not tell what a socket is bound to");
  return {name.data(), size - 1};  // it counts the 0 at the end
}

void NetworkSocket::stop_monitor() noexcept { zmq_socket_monitor(socket_, nullptr, 0); }

void NetworkSocket::monitor(const std::string& inproc_endpoint, int events) {
  if (zmq_socket_monitor(socket_, inproc_endpoint.c_str(), events) != 0)
    fail("a socket can't be monitored at '" + inproc_endpoint + "'");
}

// A connection that has come up since the last call is not always seen by a send that may not wait:
// asking for events makes libzmq look.
template <class Send>
int NetworkSocket::try_to_send(Send send) {
  look_again();
  bool asked = false;
  while (send() < 0) {
    const int number = zmq_errno();
    if (number == EINTR) continue;
    if (asked || (number != EAGAIN && number != EHOSTUNREACH)) return number;
    asked = true;
    is_readable();
  }
  return 0;
}

int NetworkSocket::send(zmq_msg_t& message, int flags) {
  return try_to_send([&] { return zmq_msg_send(&message, socket_, flags | ZMQ_DONTWAIT); });
}

int NetworkSocket::send(const void* bytes, std::size_t size, int flags) {
  return try_to_send([&] { return zmq_send(socket_, bytes, size, flags | ZMQ_DONTWAIT); });
}

bool NetworkSocket::receive(zmq_msg_t& message) {
  look_again();
  for (;;) {
    if (zmq_msg_recv(&message, socket_, ZMQ_DONTWAIT) >= 0) return true;
    if (zmq_errno() != EINTR) return false;
  }
}

bool NetworkSocket::is_readable() {
  look_again();
  int events = 0;
  std::size_t size = sizeof events;
  return zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

// Every call may take from the socket's descriptor the one sign that something has arrived.
void NetworkSocket::look_again() {
  assert(thread_.is_current());
  if (to_look_at_) return;
  to_look_at_ = true;
  thread_.to_look_at_.push_back(this);
}

NetworkThread::NetworkThread(const std::string& name, int io_threads)
    : context_((require_descriptors(), zmq_ctx_new())) {
  if (!context_) fail("ZeroMQ does not start");
  zmq_ctx_set(context_, ZMQ_IO_THREADS, io_threads);
  zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, zmq_ctx_get(context_, ZMQ_SOCKET_LIMIT));
  zmq_ctx_set(context_, ZMQ_BLOCKY, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  posted_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ < 0 || posted_event_ < 0 ||
      epoll_ctl(epoll_, EPOLL_CTL_ADD, posted_event_, &event) != 0) {
    const int number = errno;
    ::close(epoll_);
    ::close(posted_event_);
    zmq_ctx_term(context_);
    throw NetworkError(std::string("the network thread does not start: ") + zmq_strerror(number),
                       number);
  }
  thread_ = std::thread([this, name] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    run();
  });
}

NetworkThread::~NetworkThread() {
  assert(!is_current());
  post([this] { ending_ = true; });
  thread_.join();
  assert(sockets_.empty() && "every socket is closed before its thread ends");
  sockets_.clear();
  zmq_ctx_term(context_);
  ::close(epoll_);
  ::close(posted_event_);
}

bool NetworkThread::is_current() const noexcept {
  return thread_.get_id() == std::this_thread::get_id();
}

void NetworkThread::post(Function function) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(function));
  }
  if (!first) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(posted_event_, &one, sizeof one));  // full: it will wake anyway
}

NetworkSocket& NetworkThread::open(int zmq_type, NetworkSocket::OnReadable on_readable) {
  assert(is_current());
  void* raw = zmq_socket(context_, zmq_type);
  if (!raw) fail("ZeroMQ has no socket left");
  auto& socket = *sockets_.emplace_back(new NetworkSocket(*this, raw, std::move(on_readable)));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &socket;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.descriptor_, &event) != 0) {
    sockets_.pop_back();
    fail("a socket can't be watched");
  }
  socket.look_again();
  return socket;
}

void NetworkThread::close(NetworkSocket& socket) {
  assert(is_current());
  auto place = std::find_if(sockets_.begin(), sockets_.end(),
                            [&](const auto& each) { return each.get() == &socket; });
  assert(place != sockets_.end());
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.descriptor_, nullptr);
  if (socket.to_look_at_) std::erase(to_look_at_, &socket);
  zmq_close(std::exchange(socket.socket_, nullptr));
  closed_.push_back(std::move(*place));
  sockets_.erase(place);
}

// Nothing outside of fibers, where the future waits.
void NetworkThread::wait_in_fiber(Answered& answered) {
  if (!FiberThread::current_fiber()) return;
  answered.waiter.wait_despite_cancel([&] { return answered.yes.load(std::memory_order_acquire); });
}

void NetworkThread::run() {
  const RuntimeThreadMark mark;
  while (!ending_) {
    wait();
    run_posted();
    look_at_sockets();
    closed_.clear();
  }
}

void NetworkThread::wait() {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                               to_look_at_.empty() ? -1 : 0);
  for (int i = 0; i < count; ++i) {
    if (auto* socket = static_cast<NetworkSocket*>(events[static_cast<std::size_t>(i)].data.ptr)) {
      socket->look_again();
    } else {
      std::uint64_t ignored;
      static_cast<void>(!::read(posted_event_, &ignored, sizeof ignored));
    }
  }
}

void NetworkThread::run_posted() {
  std::vector<Function> functions;
  {
    std::lock_guard lock(mutex_);
    functions.swap(posted_);
  }
  for (auto& function : functions) function();
}

void NetworkThread::look_at_sockets() {
  // Those that are looked at again meanwhile come in the next round, after what is posted.
  std::vector<NetworkSocket*> sockets;
  sockets.swap(to_look_at_);
  for (auto* socket : sockets) socket->to_look_at_ = false;
  for (auto* socket : sockets) {
    if (!socket->socket_) continue;  // closed by one before it
    int events = 0;
    std::size_t size = sizeof events;
    if (zmq_getsockopt(socket->socket_, ZMQ_EVENTS, &events, &size) != 0) continue;
    if (events & ZMQ_POLLIN) {
      socket->look_again();
      socket->on_readable_(*socket);
    }
  }
}

}  // namespace freshet::core
