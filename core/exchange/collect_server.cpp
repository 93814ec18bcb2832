#include "exchange/collect_server.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "freshet/error.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

namespace {

constexpr std::uint32_t kMostCredits = 64;

}  // namespace

struct CollectServer::Reading {
  const std::string vertex;
  const ReaderId reader;
  ResultQueue& queue;

  std::mutex mutex;
  DataPlane* plane;  // null: nobody reads any more
  std::uint32_t credits;
  bool asking = false;
  bool ended = false;
};

CollectServer::CollectServer(DataPlane& plane, OnLost lost)
    : plane_(plane), lost_(std::move(lost)) {}

CollectServer::~CollectServer() {
  for (auto& [id, reading] : readings_) {
    const std::lock_guard lock(reading->mutex);
    reading->plane = nullptr;
  }
}

void CollectServer::joined(ReaderId reader, const DataHello& hello, ResultQueue& queue) {
  for (const auto& [id, reading] : readings_) {
    if (&reading->queue == &queue) {
      throw InvalidInput("the rows of '" + hello.vertex +
                         "' are read by another client: they can be read once");
    }
  }
  auto reading = std::shared_ptr<Reading>(
      new Reading{hello.vertex, reader, queue, {}, &plane_, std::min(hello.credits, kMostCredits)});
  readings_.emplace(reader, reading);
  pump(reading);
}

void CollectServer::pump(const std::shared_ptr<Reading>& reading) {
  {
    const std::lock_guard lock(reading->mutex);
    if (!reading->plane || reading->asking || reading->ended || reading->credits == 0) return;
    reading->asking = true;
    --reading->credits;
  }
  const auto take = [reading](const Future<std::optional<std::string>>& got) {
    std::string message;
    bool end = false;
    try {
      const std::optional<std::string> rows = got.get();
      end = !rows;
      message = rows ? rows_message(*rows) : to_message(RowsEnd{});
    } catch (...) {
      end = true;
      message = to_message(RowsEnd{detail::current_exception_message()});
    }
    {
      const std::lock_guard lock(reading->mutex);
      reading->asking = false;
      reading->ended = end;
      if (reading->plane) reading->plane->send_to_reader(reading->reader, std::move(message));
    }
    if (!end) pump(reading);
  };
  static_cast<void>(reading->queue.next().then(take));
}

void CollectServer::message(ReaderId reader, DataKind kind, std::string_view message) {
  const auto found = readings_.find(reader);
  if (found == readings_.end()) return;
  switch (kind) {
    case DataKind::rows_credit: {
      const std::uint32_t credits = read_rows_credit(message);
      const std::shared_ptr<Reading> reading = found->second;
      {
        const std::lock_guard lock(reading->mutex);
        if (credits > kMostCredits || reading->credits + credits > kMostCredits) {
          throw DecodeError("a client that collects rows gives more credits than the " +
                            std::to_string(kMostCredits) + " it may");
        }
        reading->credits += credits;
      }
      pump(reading);
      break;
    }
    case DataKind::rows_done:
      drop(reader);
      break;
    default:
      throw DecodeError("a message of kind " + std::to_string(static_cast<int>(kind)) +
                        ", which no client sends");
  }
}

void CollectServer::left(ReaderId reader) { drop(reader); }

void CollectServer::drop(ReaderId reader) {
  const auto found = readings_.find(reader);
  if (found == readings_.end()) return;
  const std::shared_ptr<Reading> reading = found->second;
  bool ended;
  {
    const std::lock_guard lock(reading->mutex);
    if (!std::exchange(reading->plane, nullptr)) return;
    ended = reading->ended;
  }
  if (!ended) {
    lost_(reading->vertex);
    return;
  }
  const std::lock_guard lock(mutex_);
  ++done_;
  changed_.notify_all();
}

void CollectServer::send_the_rest() {
  for (auto& [id, reading] : readings_) {
    {
      const std::lock_guard lock(reading->mutex);
      reading->credits += kMostCredits;
    }
    pump(reading);
  }
}

void CollectServer::wait_for_readers(std::size_t vertices) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || done_ >= vertices; });
}

void CollectServer::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace freshet::core
