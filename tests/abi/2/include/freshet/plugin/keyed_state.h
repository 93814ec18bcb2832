// Keyed state by explicit key bytes, for operators that bring their own keys and formats.
//
// A key is any bytes; it belongs to the key group of its hash (key_hash of the bytes, as a
// std::string has it), and a subtask owns the groups that a hash-partitioned edge sends it. So rows
// that are keyed by the same bytes (freshet/plugin/byte_records.h) always find their state here. Asking
// for a key of another subtask throws InvalidInput.
//
// Threads      The operator's fiber. Others go through OperatorMailbox::call().
// References   To values last until the next at() or erase().
// Snapshots    When the runtime has them, state is part of each by itself, by key group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "freshet/api.h"

namespace freshet {

class FRESHET_API KeyedState {
 public:
  virtual ~KeyedState();
  // Null if the key has no value.
  virtual std::string* find(std::string_view key) = 0;
  // The key's value, empty if it had none.
  virtual std::string& at(std::string_view key) = 0;
  // False if it had none.
  virtual bool erase(std::string_view key) = 0;
  virtual std::size_t size() const = 0;
  // visit(self, key, value) for every key, in key-group order. It must not call at() or erase().
  virtual void visit(void (*visit)(void* self, std::string_view key, std::string& value),
                     void* self) = 0;

  // call(key, value) for every key, as visit() has it.
  template <class Call>
  void for_each(Call&& call) {
    visit(
        [](void* self, std::string_view key, std::string& value) {
          (*static_cast<std::remove_reference_t<Call>*>(self))(key, value);
        },
        const_cast<void*>(static_cast<const void*>(&call)));
  }
};

}  // namespace freshet
