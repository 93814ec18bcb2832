// KeyedState in memory: the table of one name and one subtask.
#pragma once

#include <string>

#include "freshet/api.h"
#include "freshet/detail/state/keyed_table.h"
#include "freshet/plugin/keyed_state.h"

namespace freshet::core {

class FRESHET_API ByteState final : public KeyedState {
 public:
  // `owner` names state, operator and subtask in errors.
  ByteState(std::string owner, std::uint32_t subtask, std::uint32_t parallelism,
            std::uint32_t max_parallelism);

  std::string* find(std::string_view key) override;
  std::string& at(std::string_view key) override;
  bool erase(std::string_view key) override;
  std::size_t size() const override { return table_.size(); }
  void visit(void (*visit)(void* self, std::string_view key, std::string& value),
             void* self) override;

 private:
  std::uint64_t hash_of(std::string_view key) const;

  const std::string owner_;
  const std::uint32_t subtask_;
  const std::uint32_t parallelism_;
  KeyedTable<std::string, std::string> table_;
};

}  // namespace freshet::core
