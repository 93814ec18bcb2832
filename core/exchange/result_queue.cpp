#include "exchange/result_queue.h"

namespace freshet::core {

void ResultQueue::push(std::string rows) {
  writer_.wait([this] {
    const std::lock_guard lock(mutex_);
    return rows_.size() < kDepth || reader_.has_value() || stopped_;
  });
  std::optional<Promise<std::optional<std::string>>> reader;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (!reader_) {
      rows_.push_back(std::move(rows));
      return;
    }
    reader.swap(reader_);
    was_read_ = true;
  }
  reader->set_value(std::move(rows));
}

bool ResultQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (was_read_) return false;
    stopped_ = true;
    rows_.clear();
  }
  writer_.wake();
  return true;
}

void ResultQueue::go_on() {
  const std::lock_guard lock(mutex_);
  stopped_ = false;
}

void ResultQueue::end(std::exception_ptr error) {
  std::optional<Promise<std::optional<std::string>>> reader;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = error;
    reader.swap(reader_);
  }
  if (!reader) return;
  error ? reader->set_error(error) : reader->set_value(std::nullopt);
}

Future<std::optional<std::string>> ResultQueue::next() {
  Promise<std::optional<std::string>> promise;
  auto future = promise.future();
  {
    const std::lock_guard lock(mutex_);
    if (!rows_.empty()) {
      promise.set_value(std::move(rows_.front()));
      rows_.pop_front();
      was_read_ = true;
    } else if (!ended_) {
      reader_.emplace(std::move(promise));
    } else if (error_) {
      promise.set_error(error_);
    } else {
      promise.set_value(std::nullopt);
    }
  }
  writer_.wake();
  return future;
}

}  // namespace freshet::core
