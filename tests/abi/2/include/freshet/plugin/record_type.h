// What the runtime knows of a record type without its template: how rows end, are copied, routed
// and written. One RecordType per type and module; two modules agree on an edge if the fingerprints
// of their schemas are equal (never typeid).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "freshet/api.h"
#include "freshet/key_hash.h"
#include "freshet/plugin/batch.h"
#include "freshet/schema.h"
#include "freshet/serde.h"
#include "freshet/views.h"

namespace freshet {

struct NoValue {
  bool operator==(const NoValue&) const = default;
};

// A record on its way to a keyed operator: hashed once, where it was made.
template <class K, class V>
struct Keyed {
  std::uint64_t hash;
  K key;
  [[no_unique_address]] V value;
};
template <class K>
struct Keyed<K, NoValue> {
  std::uint64_t hash;
  K key;
};

// Routes rows to the batches of several targets. Core fills in the tables and takes full batches.
//
// Threads    The writing task's fiber only; replace() may suspend it.
class FRESHET_API Router {
 public:
  struct Cursor {
    std::byte* at = nullptr;   // where the next row goes
    std::byte* end = nullptr;  // at == end: no batch, or a full one
    std::int64_t* timestamp = nullptr;
    Batch* batch = nullptr;
  };
  virtual ~Router();
  // Sends what the target's cursor holds, if anything, and opens an empty batch for it.
  virtual void replace(std::uint32_t target) = 0;

  Cursor* cursors = nullptr;
  std::uint32_t targets = 0;
  // Keyed rows: group = key_group(hash, max_parallelism), target = target_of_group[group].
  const std::uint16_t* target_of_group = nullptr;
  std::uint32_t max_parallelism = 0;
  // Rows without a key take turns, or are drawn when `random_state` is not 0.
  std::uint32_t turn = 0;
  std::uint64_t random_state = 0;
  // Whether open batches carry timestamps; core sends all open batches before it changes.
  bool with_timestamps = false;

  std::uint32_t next_turn() {
    if (random_state) {
      random_state ^= random_state << 13;
      random_state ^= random_state >> 7;
      random_state ^= random_state << 17;
      return static_cast<std::uint32_t>((random_state >> 32) * targets >> 32);
    }
    const std::uint32_t target = turn;
    turn = target + 1 == targets ? 0 : target + 1;
    return target;
  }
};

struct RecordType {
  std::uint32_t size;
  std::uint32_t align;
  bool keyed;
  // Null if rows need no end.
  void (*destroy)(void* rows, std::uint32_t count);
  // Appends a copy of rows [begin, begin + count); the caller has seen to it that they fit.
  void (*append)(Batch& to, const Batch& from, std::uint32_t begin, std::uint32_t count);
  // Routes every row of `from`; `move` lets it take what rows own.
  void (*route)(Batch& from, Router& router, bool move);
  void (*write)(ByteWriter& to, const Batch& from);
  // Reads `count` rows behind those already there; throws DecodeError.
  void (*read)(ByteReader& from, Batch& to, std::uint32_t count);
  const Schema& (*schema)();
  const char* name;    // for people
  bool extra = false;  // rows keep bytes outside of themselves: Batch::extra_bytes()
};

// Throws Error unless rows of the one can be read as rows of the other: the runtime hands rows on
// as they lie in memory, and the module that reads them may not be the one that wrote them.
FRESHET_API void expect_records(const RecordType& got, const RecordType& wanted);

template <class T>
inline constexpr bool is_keyed_v = false;
template <class K, class V>
inline constexpr bool is_keyed_v<Keyed<K, V>> = true;

namespace detail {

// Whether the memory of a batch of rows is their format, to be written and read by one copy.
template <class T>
inline constexpr bool packed_rows_v = packed_v<T>;
template <class K, class V>
inline constexpr bool packed_rows_v<Keyed<K, V>> = packed_v<K>&& packed_v<V> &&
                                                   sizeof(Keyed<K, V>) == 8 + sizeof(K) + sizeof(V);
template <class K>
inline constexpr bool packed_rows_v<Keyed<K, NoValue>> = packed_v<K> &&
                                                         sizeof(Keyed<K, NoValue>) == 8 + sizeof(K);

template <class T>
struct FRESHET_HIDDEN Rows {
  static constexpr bool kCountsExtra = is_view_v<T> || has_heap_bytes_v<T>;

  // Constructs a row at `at` for a batch that will outlive what views in `value` point to.
  template <class V>
  static void construct(Batch& batch, void* at, V&& value) {
    if constexpr (is_view_v<T>) {
      ::new (at) T(copy_views<T>(value, [&](std::size_t n) { return batch.allocate(n); }));
    } else {
      T* row = ::new (at) T(std::forward<V>(value));
      if constexpr (has_heap_bytes_v<T>) batch.count_heap_bytes(heap_bytes(*row));
    }
  }
  static void destroy(void* rows, std::uint32_t count) {
    T* row = static_cast<T*>(rows);
    for (std::uint32_t i = 0; i < count; ++i) row[i].~T();
  }
  static void append(Batch& to, const Batch& from, std::uint32_t begin, std::uint32_t count) {
    const T* source = from.rows<T>() + begin;
    T* target = to.rows<T>() + to.size();
    for (std::uint32_t i = 0; i < count; ++i) construct(to, target + i, source[i]);
    if (from.timestamps()) {
      std::int64_t* column = to.timestamp_column() + to.size();
      for (std::uint32_t i = 0; i < count; ++i) column[i] = from.timestamps()[begin + i];
      to.set_has_timestamps(true);
    }
    to.set_size(to.size() + count);
  }
  template <bool kMove>
  static void route_rows(Batch& from, Router& router) {
    T* row = from.rows<T>();
    const std::int64_t* timestamps = from.timestamps();
    const std::uint32_t count = from.size();
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t target;
      if constexpr (is_keyed_v<T>) {
        target = router.target_of_group[key_group(row[i].hash, router.max_parallelism)];
      } else {
        target = router.next_turn();
      }
      Router::Cursor& cursor = router.cursors[target];
      if (cursor.at == cursor.end) [[unlikely]]
        router.replace(target);
      if constexpr (kMove) {
        construct(*cursor.batch, cursor.at, std::move(row[i]));
      } else {
        construct(*cursor.batch, cursor.at, std::as_const(row[i]));
      }
      cursor.at += sizeof(T);
      if (timestamps) *cursor.timestamp++ = timestamps[i];
      if constexpr (kCountsExtra) {
        if (cursor.batch->is_heavy()) [[unlikely]]
          router.replace(target);
      }
    }
  }
  static void route(Batch& from, Router& router, bool move) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      route_rows<false>(from, router);
    } else {
      move ? route_rows<true>(from, router) : route_rows<false>(from, router);
    }
  }
  static void write(ByteWriter& to, const Batch& from) {
    if constexpr (packed_rows_v<T>) {
      to.write(from.raw_rows(), from.size() * sizeof(T));
    } else {
      write_rows(to, from.rows<T>(), from.size());
    }
  }
  static void read(ByteReader& from, Batch& to, std::uint32_t count) {
    if constexpr (packed_rows_v<T>) {
      from.read(static_cast<void*>(to.rows<T>() + to.size()), count * sizeof(T), "batch of rows");
      to.set_size(to.size() + count);
      return;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      construct(to, to.rows<T>() + to.size(), Serde<T>::read(from));
      to.set_size(to.size() + 1);
    }
  }
};

}  // namespace detail

template <class K, class V>
struct Serde<Keyed<K, V>> {
  static void write(ByteWriter& to, const Keyed<K, V>& row) {
    to.write(&row.hash, sizeof row.hash);
    Serde<K>::write(to, row.key);
    if constexpr (!std::is_same_v<V, NoValue>) Serde<V>::write(to, row.value);
  }
  static Keyed<K, V> read(ByteReader& from) {
    const auto hash = Serde<std::uint64_t>::read(from);
    K key = Serde<K>::read(from);
    if constexpr (std::is_same_v<V, NoValue>) {
      return {hash, std::move(key)};
    } else {
      return {hash, std::move(key), Serde<V>::read(from)};
    }
  }
  static void describe(SchemaBuilder& schema) {
    schema.template field<std::uint64_t>();
    schema.template field<K>();
    if constexpr (!std::is_same_v<V, NoValue>) schema.template field<V>();
  }
};
template <class K, class V>
inline constexpr bool is_view_v<Keyed<K, V>> = is_view_v<K> || is_view_v<V>;
template <class K, class V>
inline constexpr bool has_heap_bytes_v<Keyed<K, V>> = has_heap_bytes_v<K> || has_heap_bytes_v<V>;
template <class T, class Allocate>
requires is_keyed_v<T> T copy_views(const T& row, Allocate&& allocate) {
  T copy = row;
  copy.key = copy_views(row.key, allocate);
  if constexpr (requires { copy.value; }) copy.value = copy_views(row.value, allocate);
  return copy;
}
template <class K, class V>
std::size_t heap_bytes(const Keyed<K, V>& row) {
  std::size_t bytes = heap_bytes(row.key);
  if constexpr (requires { row.value; }) bytes += heap_bytes(row.value);
  return bytes;
}

// The record type of T in this module.
template <class T>
FRESHET_HIDDEN const RecordType& record_type() {
  using Rows = detail::Rows<T>;
  static constexpr RecordType type{
      sizeof(T),         alignof(T),
      is_keyed_v<T>,     std::is_trivially_destructible_v<T> ? nullptr : &Rows::destroy,
      &Rows::append,     &Rows::route,
      &Rows::write,      &Rows::read,
      &schema_of<T>,     __PRETTY_FUNCTION__,
      Rows::kCountsExtra};
  return type;
}

}  // namespace freshet
