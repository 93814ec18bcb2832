// Keyed state in memory: one flat open-addressing table in key-group order.
//
// A slot's place is its hash, scaled over the hashes of the key groups owned, then the next free
// slot (wrapping at the end). So the keys of a group lie side by side, and a snapshot by key group,
// or a rescale, is a scan. Strings are looked up by view; their bytes are interned in an arena.
//
// Threads     One at a time.
// Hashes      `hash` is always key_hash(key), in the range owned: key_group(hash, max_parallelism)
//             is one of `groups`. Computed once, where the record was made, and carried here.
//             Hashes that crowd together are slow and correct.
// References  To values and keys last until the next insert, erase, reserve or clear.
// Filling     a table from another one, or from a snapshot, in key-group order takes reserve()
//             first: a small table that gets its keys in the order of its slots is all collisions.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "freshet/detail/state/table_memory.h"
#include "freshet/key_hash.h"
#include "freshet/views.h"

namespace freshet {

namespace detail {

// Equality of words that are nearly always equal: their hashes are.
[[gnu::always_inline]] inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size > 8) {
    return ((load64(a) ^ load64(b)) | (load64(a + size - 8) ^ load64(b + size - 8))) == 0;
  }
  if (size >= 4) {
    return ((load32(a) ^ load32(b)) | (load32(a + size - 4) ^ load32(b + size - 4))) == 0;
  }
  if (size == 0) return true;
  return a[0] == b[0] && a[size >> 1] == b[size >> 1] && a[size - 1] == b[size - 1];
}

// A slot is raw memory; hash 0 says that there is neither key nor value in it.
template <class K, class V>
struct TableSlot {
  std::uint64_t hash;
  K key;
  V value;

  using Arena = std::false_type;
  static constexpr bool kKeyIsTrivial = std::is_trivially_copyable_v<K>;

  template <class Lookup>
  [[gnu::always_inline]] bool holds(const Lookup& wanted) const {
    return key_equal(key, wanted);
  }
  template <class Lookup>
  void put_key(const Lookup& wanted, KeyArena&) {
    ::new (static_cast<void*>(&key)) K(to_owned(wanted));
  }
  const K& shown_key() const { return key; }
};

template <class V>
struct TableSlot<std::string, V> {
  std::uint64_t hash;
  struct {
    const char* bytes;
    std::size_t size;
  } key;
  V value;

  using Arena = std::true_type;
  static constexpr bool kKeyIsTrivial = true;

  [[gnu::always_inline]] bool holds(std::string_view wanted) const {
    return key.size == wanted.size() && same_bytes(key.bytes, wanted.data(), wanted.size());
  }
  void put_key(std::string_view wanted, KeyArena& arena) {
    key.bytes = arena.intern(wanted);
    key.size = wanted.size();
  }
  std::string_view shown_key() const { return {key.bytes, key.size}; }
};

}  // namespace detail

template <class K, class V>
class KeyedTable {
  FRESHET_REQUIRE_KEY(K);
  static_assert(!is_view_v<K> && !is_view_v<V>,
                "freshet: keyed state outlives the batch that a view points into: use "
                "freshet::Owned<T>, which is std::string for std::string_view");
  using Slot = detail::TableSlot<K, V>;

 public:
  // Starts with a few slots. Requires a range that is not empty and ends at max_parallelism or
  // before.
  KeyedTable(KeyGroupRange groups, std::uint32_t max_parallelism)
      : groups_(groups), max_parallelism_(max_parallelism) {
    assert(groups.first < groups.end && groups.end <= max_parallelism &&
           max_parallelism <= kMaxParallelismLimit);
    finder_.base_ = first_hash_of_group(groups.first, max_parallelism);
    width_ = (groups.end == max_parallelism ? detail::Uint128{1} << 64
                                            : first_hash_of_group(groups.end, max_parallelism)) -
             finder_.base_;
    use(allocate(kLeastCapacity), kLeastCapacity);
  }
  // A table for every hash there is.
  KeyedTable() : KeyedTable(KeyGroupRange{0, 1}, 1) {}

  KeyedTable(const KeyedTable&) = delete;
  KeyedTable& operator=(const KeyedTable&) = delete;
  // Allocates, since a table always has room. NOLINTNEXTLINE(performance-noexcept-move-constructor)
  KeyedTable(KeyedTable&& other) : KeyedTable(other.groups_, other.max_parallelism_) {
    swap(other);
  }
  KeyedTable& operator=(KeyedTable&& other) noexcept {
    swap(other);
    return *this;
  }
  ~KeyedTable() {
    destroy_all();
    detail::free_table(finder_.slots_, finder_.capacity_ * sizeof(Slot));
  }

  // What lookups read of the table, for a loop to keep in registers: nothing that it writes is seen
  // to change it. Valid until a key is inserted by anything but find_or_insert(finder, ...).
  class Finder {
   public:
    // Brings a key's slot into the cache; for a batch's hashes, 16 to 32 ahead.
    [[gnu::always_inline]] void prefetch(std::uint64_t hash) const {
      __builtin_prefetch(slots_ + home(stored(hash)), 1);
    }

   private:
    friend class KeyedTable;
    [[gnu::always_inline]] std::size_t home(std::uint64_t hash) const {
      const auto place =
          static_cast<std::size_t>((static_cast<detail::Uint128>(hash - base_) * scale_) >> 64);
      assert(place < capacity_ && "the hash is one of the groups owned");
      return place;
    }
    // The slot that holds the key, or the empty one where it belongs.
    template <class Lookup>
    [[gnu::always_inline]] Slot* probe(const Lookup& key, std::uint64_t hash) const {
      Slot* slot = slots_ + home(hash);
      while (true) {
        if (slot->hash == hash && slot->holds(key)) return slot;
        if (slot->hash == 0) return slot;
        if (++slot == slots_ + capacity_) [[unlikely]]
          slot = slots_;
      }
    }

    Slot* slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::uint64_t base_ = 0;   // the least hash owned
    std::uint64_t scale_ = 0;  // capacity_ / width_, times 2^64
  };
  Finder finder() const { return finder_; }
  template <class Lookup>
  [[gnu::always_inline]] V& find_or_insert(Finder& finder, const Lookup& key, std::uint64_t hash,
                                           bool& inserted) {
    Slot* slot = finder.probe(key, stored(hash));
    inserted = slot->hash == 0;
    if (inserted) [[unlikely]] {
      slot = insert(slot, key, stored(hash));
      finder = finder_;
    }
    return slot->value;
  }

  // The value of a key, made by V() if there was none. Lookup is K or a view of it.
  template <class Lookup>
  [[gnu::always_inline]] V& find_or_insert(const Lookup& key, std::uint64_t hash) {
    bool inserted;
    return find_or_insert(key, hash, inserted);
  }

  template <class Lookup>
  [[gnu::always_inline]] V& find_or_insert(const Lookup& key, std::uint64_t hash, bool& inserted) {
    return find_or_insert(finder_, key, hash, inserted);
  }

  // Null if the key has no value.
  template <class Lookup>
  [[gnu::always_inline]] V* find(const Lookup& key, std::uint64_t hash) {
    Slot* slot = finder_.probe(key, stored(hash));
    return slot->hash == 0 ? nullptr : &slot->value;
  }
  template <class Lookup>
  const V* find(const Lookup& key, std::uint64_t hash) const {
    return const_cast<KeyedTable*>(this)->find(key, hash);
  }

  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const { finder_.prefetch(hash); }

  // False if the key had no value.
  template <class Lookup>
  bool erase(const Lookup& key, std::uint64_t hash) {
    Slot* slot = finder_.probe(key, stored(hash));
    if (slot->hash == 0) return false;
    if constexpr (Slot::Arena::value) dead_key_bytes_ += slot->key.size;
    destroy(*slot);
    close_gap(static_cast<std::size_t>(slot - finder_.slots_));
    --size_;
    if (dead_key_bytes_ > kDeadKeyBytes && dead_key_bytes_ > arena_.bytes() / 2) intern_anew();
    return true;
  }

  // call(key, hash, V&) for every key, in key-group order; the key is a string_view for strings.
  // The call must not insert or erase.
  template <class Call>
  void for_each(Call&& call) {
    for (std::uint32_t group = groups_.first; group < groups_.end; ++group)
      for_each_in_group(group, call);
  }

  // The same for one group that is owned.
  template <class Call>
  void for_each_in_group(std::uint32_t group, Call&& call) {
    assert(groups_.contains(group));
    if (size_ == 0) return;
    const std::uint64_t least = first_hash_of_group(group, max_parallelism_);
    const std::uint64_t most = group + 1 == max_parallelism_
                                   ? UINT64_MAX
                                   : first_hash_of_group(group + 1, max_parallelism_) - 1;
    // Its keys lie from the home of its least hash to that of its greatest, and as far behind as
    // slots are taken without a gap.
    std::size_t at = home(least);
    std::size_t certain = home(most) - at + 1;
    for (std::size_t seen = 0; seen < finder_.capacity_; ++seen) {
      Slot& slot = finder_.slots_[at];
      if (slot.hash == 0) {
        if (seen + 1 >= certain) return;
      } else if (slot.hash >= least && slot.hash <= most) {
        call(slot.shown_key(), slot.hash, slot.value);
      }
      if (++at == finder_.capacity_) at = 0;
    }
  }

  // Room for so many keys in all, without growing on the way.
  void reserve(std::size_t keys) {
    std::size_t capacity = finder_.capacity_;
    while (most_keys(capacity) < keys) capacity *= 2;
    if (capacity != finder_.capacity_) grow_to(capacity);
  }

  void clear() {
    destroy_all();
    std::memset(static_cast<void*>(finder_.slots_), 0, finder_.capacity_ * sizeof(Slot));
    arena_.clear();
    dead_key_bytes_ = size_ = 0;
  }

  void swap(KeyedTable& other) noexcept {
    std::swap(groups_, other.groups_);
    std::swap(max_parallelism_, other.max_parallelism_);
    std::swap(width_, other.width_);
    std::swap(finder_, other.finder_);
    std::swap(size_, other.size_);
    std::swap(dead_key_bytes_, other.dead_key_bytes_);
    arena_.swap(other.arena_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t capacity() const noexcept { return finder_.capacity_; }
  KeyGroupRange groups() const noexcept { return groups_; }
  std::uint32_t max_parallelism() const noexcept { return max_parallelism_; }
  // Slots and key bytes; not what values own elsewhere.
  std::size_t memory_bytes() const noexcept {
    return finder_.capacity_ * sizeof(Slot) + arena_.bytes();
  }

 private:
  static_assert(alignof(Slot) <= 64);
  static constexpr bool kSlotIsTrivial = Slot::kKeyIsTrivial && std::is_trivially_copyable_v<V>;
  static constexpr std::size_t kLeastCapacity = 16;
  static constexpr std::size_t kDeadKeyBytes = 64 * 1024;

  // 0 marks an empty slot, so a hash of 0 counts as 1, its neighbour in the same group.
  [[gnu::always_inline]] static std::uint64_t stored(std::uint64_t hash) {
    return hash + (hash == 0);
  }

  static std::size_t most_keys(std::size_t capacity) { return capacity / 2; }

  [[gnu::always_inline]] std::size_t home(std::uint64_t hash) const { return finder_.home(hash); }

  template <class Lookup>
  [[gnu::noinline]] Slot* insert(Slot* slot, const Lookup& key, std::uint64_t hash) {
    if (size_ >= most_keys(finder_.capacity_)) {
      grow_to(finder_.capacity_ * 2);
      slot = free_slot(hash);
    }
    if constexpr (Slot::Arena::value) {
      ::new (static_cast<void*>(&slot->value)) V();
      try {
        slot->put_key(key, arena_);
      } catch (...) {
        slot->value.~V();
        throw;
      }
    } else {
      slot->put_key(key, arena_);
      try {
        ::new (static_cast<void*>(&slot->value)) V();
      } catch (...) {
        slot->key.~K();
        throw;
      }
    }
    slot->hash = hash;
    ++size_;
    return slot;
  }

  Slot* free_slot(std::uint64_t hash) {
    std::size_t at = home(hash);
    while (finder_.slots_[at].hash != 0) {
      if (++at == finder_.capacity_) at = 0;
    }
    return finder_.slots_ + at;
  }

  static Slot* allocate(std::size_t capacity) {
    if (capacity > SIZE_MAX / 4 / sizeof(Slot)) throw std::bad_alloc();
    return static_cast<Slot*>(detail::allocate_table(capacity * sizeof(Slot)));
  }

  void use(Slot* slots, std::size_t capacity) {
    finder_.slots_ = slots;
    finder_.capacity_ = capacity;
    finder_.scale_ =
        static_cast<std::uint64_t>((static_cast<detail::Uint128>(capacity) << 64) / width_);
  }

  void grow_to(std::size_t capacity) {
    Slot* const old = finder_.slots_;
    const std::size_t old_capacity = finder_.capacity_;
    use(allocate(capacity), capacity);
    for (std::size_t i = 0; i < old_capacity; ++i) {
      if (old[i].hash != 0) relocate(*free_slot(old[i].hash), old[i]);
    }
    detail::free_table(old, old_capacity * sizeof(Slot));
  }

  // Ends in std::terminate if moving a key or value throws: half a table is no state.
  static void relocate(Slot& to, Slot& from) noexcept {
    if constexpr (kSlotIsTrivial) {
      std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof(Slot));
    } else {
      using Key = decltype(from.key);
      to.hash = from.hash;
      ::new (static_cast<void*>(&to.key)) Key(std::move(from.key));
      ::new (static_cast<void*>(&to.value)) V(std::move(from.value));
      destroy(from);
    }
  }

  static void destroy(Slot& slot) noexcept {
    using Key = decltype(slot.key);
    slot.key.~Key();
    slot.value.~V();
    slot.hash = 0;
  }

  void destroy_all() noexcept {
    if constexpr (!kSlotIsTrivial) {
      for (std::size_t i = 0; i < finder_.capacity_; ++i) {
        if (finder_.slots_[i].hash != 0) destroy(finder_.slots_[i]);
      }
    }
  }

  // Moves what was displaced past the empty slot `gap` back, so that every probe still finds it.
  void close_gap(std::size_t gap) noexcept {
    finder_.slots_[gap].hash = 0;
    const std::size_t mask = finder_.capacity_ - 1;  // capacities are powers of two
    for (std::size_t at = (gap + 1) & mask; finder_.slots_[at].hash != 0; at = (at + 1) & mask) {
      const std::size_t displaced = (at - home(finder_.slots_[at].hash)) & mask;
      if (displaced < ((at - gap) & mask)) continue;
      relocate(finder_.slots_[gap], finder_.slots_[at]);
      finder_.slots_[at].hash = 0;
      gap = at;
    }
  }

  // Drops the bytes of erased keys.
  void intern_anew() {
    if constexpr (Slot::Arena::value) {
      detail::KeyArena fresh;
      for (std::size_t i = 0; i < finder_.capacity_; ++i) {
        if (finder_.slots_[i].hash != 0)
          finder_.slots_[i].key.bytes = fresh.intern(finder_.slots_[i].shown_key());
      }
      arena_.swap(fresh);
      dead_key_bytes_ = 0;
    }
  }

  KeyGroupRange groups_;
  std::uint32_t max_parallelism_;
  detail::Uint128 width_ = 0;  // how many hashes are owned
  Finder finder_;
  std::size_t size_ = 0;
  std::size_t dead_key_bytes_ = 0;
  detail::KeyArena arena_;
};

}  // namespace freshet
