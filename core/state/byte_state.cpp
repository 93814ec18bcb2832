#include "state/byte_state.h"

#include "freshet/error.h"

namespace freshet::core {

ByteState::ByteState(std::string owner, std::uint32_t subtask, std::uint32_t parallelism,
                     std::uint32_t max_parallelism)
    : owner_(std::move(owner)),
      subtask_(subtask),
      parallelism_(parallelism),
      table_(key_groups_of(subtask, parallelism, max_parallelism), max_parallelism) {}

std::uint64_t ByteState::hash_of(std::string_view key) const {
  const std::uint64_t hash = key_hash(key);
  const std::uint32_t group = key_group(hash, table_.max_parallelism());
  if (!table_.groups().contains(group)) {
    throw InvalidInput(
        owner_ + ": a key of " + std::to_string(key.size()) + " bytes is of key group " +
        std::to_string(group) + ", which subtask " +
        std::to_string(subtask_of_group(group, table_.max_parallelism(), parallelism_)) +
        " owns, not subtask " + std::to_string(subtask_) + " (groups " +
        std::to_string(table_.groups().first) + " to " + std::to_string(table_.groups().end - 1) +
        "): let the rows come over a hash edge, keyed by these bytes");
  }
  return hash;
}

std::string* ByteState::find(std::string_view key) { return table_.find(key, hash_of(key)); }
std::string& ByteState::at(std::string_view key) {
  return table_.find_or_insert(key, hash_of(key));
}
bool ByteState::erase(std::string_view key) { return table_.erase(key, hash_of(key)); }

void ByteState::visit(void (*visit)(void* self, std::string_view key, std::string& value),
                      void* self) {
  table_.for_each(
      [&](std::string_view key, std::uint64_t, std::string& value) { visit(self, key, value); });
}

}  // namespace freshet::core
