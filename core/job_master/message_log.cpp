#include "job_master/message_log.h"

#include <algorithm>
#include <utility>

namespace freshet::core {

void MessageLog::add(JobMessage message) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  message.number = ++last_;
  message.at_ms = clock_.wall_ms();
  bytes_ += message.text.size();
  messages_.push_back(std::move(message));
  while (messages_.size() > kKept || (bytes_ > kKeptBytes && messages_.size() > 1)) {
    bytes_ -= messages_.front().text.size();
    messages_.pop_front();
  }
}

void MessageLog::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

const JobMessage* MessageLog::first_after(std::uint64_t after) const {
  const auto found = std::upper_bound(
      messages_.begin(), messages_.end(), after,
      [](std::uint64_t number, const JobMessage& message) { return number < message.number; });
  return found == messages_.end() ? nullptr : &*found;
}

void MessageLog::publish() {
  std::vector<std::pair<Promise<std::optional<JobMessage>>, std::optional<JobMessage>>> told;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Reader> waiting;
    for (Reader& reader : readers_) {
      const JobMessage* message = first_after(reader.after);
      if (message || ended_) {
        told.emplace_back(std::move(reader.promise),
                          message ? std::optional<JobMessage>(*message) : std::nullopt);
      } else {
        waiting.push_back(std::move(reader));
      }
    }
    readers_ = std::move(waiting);
  }
  for (auto& [promise, message] : told) promise.set_value(std::move(message));
}

Future<std::optional<JobMessage>> MessageLog::next(std::uint64_t after) {
  Promise<std::optional<JobMessage>> promise;
  auto future = promise.future();
  const std::lock_guard lock(mutex_);
  if (const JobMessage* message = first_after(after)) {
    promise.set_value(*message);
  } else if (ended_) {
    promise.set_value(std::nullopt);
  } else {
    readers_.push_back({after, std::move(promise)});
  }
  return future;
}

}  // namespace freshet::core
