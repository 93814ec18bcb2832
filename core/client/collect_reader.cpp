#include "client/collect_reader.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "exchange/data_messages.h"
#include "freshet/error.h"
#include "network/arrivals.h"
#include "network/zap_handler.h"

namespace freshet::core {

namespace {

constexpr std::uint32_t kCredits = 4;
constexpr std::size_t kMostKept = 128;  // a job that ends early sends the rest at once

}  // namespace

class CollectReader::Connection : public std::enable_shared_from_this<CollectReader::Connection> {
 public:
  Connection(NetworkThread& network, std::string worker, std::string vertex)
      : network_(network), worker_(std::move(worker)), vertex_(std::move(vertex)) {}

  void open(const KeyPair& own, const Address& worker, const std::string& job_id);
  void close();
  Future<std::optional<std::string>> next();

 private:
  void watch();
  void receive();
  void take(std::string_view message);
  void end(const std::string& error);
  void say(const std::string& message);

  NetworkThread& network_;
  const std::string worker_;
  const std::string vertex_;
  NetworkSocket* socket_ = nullptr;  // [network thread]
  NetworkSocket* monitor_ = nullptr;
  Pieces pieces_;

  std::mutex mutex_;
  std::deque<std::string> rows_;
  std::optional<Promise<std::optional<std::string>>> reader_;
  bool ended_ = false;
  std::string error_;
};

void CollectReader::Connection::open(const KeyPair& own, const Address& worker,
                                     const std::string& job_id) {
  network_.call([&] {
    socket_ = &network_.open(ZMQ_DEALER, [this](NetworkSocket&) { receive(); });
    set_dialer_limits(*socket_);
    if (!worker.key.empty()) talk_to_owner_of(*socket_, worker.key, own);
    watch();
    socket_->connect(worker.endpoint);
    DataHello hello;
    hello.role = DataHello::Role::reader;
    hello.job_id = job_id;
    hello.vertex = vertex_;
    hello.credits = kCredits;
    say(to_message(hello));
  });
}

void CollectReader::Connection::watch() {
  static std::atomic<std::uint64_t> next{1};
  const std::string name = "inproc://freshet-collect-monitor-" + std::to_string(next++);
  socket_->monitor(name, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                             ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
  monitor_ = &network_.open(ZMQ_PAIR, [this](NetworkSocket& here) {
    NetworkMessage event, address;
    if (!here.receive(event)) return;
    if (event.more()) static_cast<void>(here.receive(address));
    const auto self = shared_from_this();
    receive();  // what came before
    end("the worker at " + worker_ + ", which collects the rows of '" + vertex_ +
        "', can't be reached any more");
  });
  monitor_->connect(name);
}

void CollectReader::Connection::close() {
  network_.call([this] {
    if (monitor_) socket_->stop_monitor();
    if (monitor_) network_.close(*std::exchange(monitor_, nullptr));
    if (socket_) network_.close(*std::exchange(socket_, nullptr));
  });
  end("the rows of '" + vertex_ + "' are not read any more");
}

void CollectReader::Connection::say(const std::string& message) {
  if (socket_) static_cast<void>(socket_->send(message.data(), message.size()));
}

void CollectReader::Connection::receive() {
  const auto self = shared_from_this();  // who gets the rows may let go of the reader
  for (;;) {
    NetworkMessage message;
    if (!socket_ || !socket_->receive(message)) return;
    try {
      take({message.data(), message.size()});
    } catch (const std::exception& error) {
      end("the worker at " + worker_ + " sends what can't be read: " + error.what());
    }
  }
}

void CollectReader::Connection::take(std::string_view message) {
  switch (kind_of(message)) {
    case DataKind::rows: {
      std::string rows(read_rows(message));
      std::optional<Promise<std::optional<std::string>>> reader;
      {
        const std::lock_guard lock(mutex_);
        if (ended_) return;
        if (!reader_) {
          if (rows_.size() >= kMostKept) throw DecodeError("more rows than were asked for");
          rows_.push_back(std::move(rows));
          return;
        }
        reader.swap(reader_);
      }
      say(rows_credit(1));
      reader->set_value(std::move(rows));
      break;
    }
    case DataKind::rows_end:
      say(rows_done());
      end(read_rows_end(message).error);
      break;
    case DataKind::piece:
      if (const auto whole = pieces_.add(message)) take({whole->data(), whole->size()});
      break;
    case DataKind::refused:
      end("the worker at " + worker_ + " refuses to send the rows of '" + vertex_ +
          "': " + std::string(read_refusal(message)));
      break;
    default:
      throw DecodeError("a message that is not for clients");
  }
}

void CollectReader::Connection::end(const std::string& error) {
  std::optional<Promise<std::optional<std::string>>> reader;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = error;
    reader.swap(reader_);
  }
  if (!reader) return;
  if (error.empty()) {
    reader->set_value(std::nullopt);
  } else {
    reader->set_error(std::make_exception_ptr(Error(error)));
  }
}

Future<std::optional<std::string>> CollectReader::Connection::next() {
  Promise<std::optional<std::string>> promise;
  auto future = promise.future();
  const std::lock_guard lock(mutex_);
  if (!rows_.empty()) {
    promise.set_value(std::move(rows_.front()));
    rows_.pop_front();
    network_.post([self = shared_from_this()] { self->say(rows_credit(1)); });
  } else if (!ended_) {
    reader_.emplace(std::move(promise));
  } else if (!error_.empty()) {
    promise.set_error(std::make_exception_ptr(Error(error_)));
  } else {
    promise.set_value(std::nullopt);
  }
  return future;
}

CollectReader::CollectReader(NetworkThread& network, const KeyPair& own, const Address& worker,
                             std::string job_id, std::string vertex)
    : connection_(std::make_shared<Connection>(network, worker.endpoint, std::move(vertex))) {
  try {
    connection_->open(own, worker, job_id);
  } catch (...) {
    connection_->close();
    throw;
  }
}

CollectReader::~CollectReader() { connection_->close(); }

Future<std::optional<std::string>> CollectReader::next() { return connection_->next(); }

}  // namespace freshet::core
