#include "dispatcher/ended_records.h"

#include <utility>

namespace freshet::core {

void EndedRecords::add(const std::string& id, std::int64_t now_ms) {
  kept_.push_back({id, now_ms});
}

std::string EndedRecords::due(std::int64_t now_ms) const {
  const bool is_due = kept_.size() > most_ || (!kept_.empty() && now_ms >= next_ms());
  return is_due ? kept_.front().id : "";
}

void EndedRecords::drop(const std::string& id, Dropped what) {
  std::erase_if(kept_, [&](const Kept& kept) { return kept.id == id; });
  dropped_.put(id, std::move(what));
}

}  // namespace freshet::core
