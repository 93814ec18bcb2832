// The key hash, which is part of the format: a record's key group, its subtask and its place in
// every snapshot follow from it. So it is ours, unseeded, and equal in every process, compiler and
// release; tests/unit/golden/key_hashes.txt holds it still.
//
// It is taken over a key's canonical form, never over the bytes of a struct:
//
//   integers, char, bool, enums   their value, sign-extended to 64 bits: int32 5 is int64 5 (and
//                                 int64 -1 is uint64 2^64-1: compare keys of one type)
//   floating point                their value as double; -0.0 is 0.0, all NaNs are one key
//   string, string_view           their bytes
//   pair, tuple, array, vector,   part by part, in order; an array hashes as a tuple of its
//   optional, variant, aggregate  elements, a vector with its size
//   anything else                 what KeyHash<T> says, see below
//
// Whoever can choose keys can choose colliding ones: tables of keys stay correct and become slow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "freshet/serde/shapes.h"

namespace freshet {

// For a type of yours as a key:
//
//   template <> struct freshet::KeyHash<Uuid> {
//     static std::uint64_t hash(const Uuid& u) { return freshet::key_hash(u.text()); }
//   };
//
// Keys that operator== calls equal must hash equal; a `static bool equal(const T&, const T&)` here
// is used in its place. Must not depend on addresses, padding or the process.
template <class T>
struct KeyHash;

namespace detail {

// Odd, with their bits well spread; from splitmix64's increment and its two multipliers.
inline constexpr std::uint64_t kHashSeed = 0x9E3779B97F4A7C15u;
inline constexpr std::uint64_t kHashA = 0xBF58476D1CE4E5B9u;
inline constexpr std::uint64_t kHashB = 0x94D049BB133111EBu;

__extension__ using Uint128 = unsigned __int128;

// The 128-bit product, folded. One round spreads, two avalanche: of one alone, a flipped bit of a
// may flip a bit of the result always or never.
[[gnu::always_inline]] constexpr std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[gnu::always_inline]] inline std::uint64_t load64(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

[[gnu::always_inline]] inline std::uint64_t load32(const char* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

[[gnu::always_inline]] inline std::uint64_t load8(const char* byte) {
  return static_cast<unsigned char>(*byte);
}

[[gnu::always_inline]] inline std::uint64_t hash_bytes(const char* bytes, std::size_t size) {
  std::uint64_t h = (size + 1) * kHashSeed;
  if (size > 8) {
    const char* end = bytes + size;
    const char* last = size > 16 ? end - 16 : bytes;  // the tail overlaps what was read
    for (; size > 16; size -= 16, bytes += 16)
      h = hash_mix(load64(bytes) ^ h, load64(bytes + 8) ^ kHashA);
    h = hash_mix(load64(last) ^ h, load64(end - 8) ^ kHashA);
  } else {
    std::uint64_t word = 0;
    if (size >= 4) {
      word = load32(bytes) | load32(bytes + size - 4) << 32;
    } else if (size != 0) {
      word = load8(bytes) | load8(bytes + (size >> 1)) << 8 | load8(bytes + size - 1) << 16;
    }
    h = hash_mix(h ^ word, kHashA);
  }
  return hash_mix(h ^ kHashSeed, kHashB);
}

[[gnu::always_inline]] constexpr std::uint64_t hash_int(std::uint64_t value) {
  return hash_mix(hash_mix(value ^ kHashSeed, kHashA) ^ kHashSeed, kHashB);
}

// Takes one more part into the hash of a composite key.
[[gnu::always_inline]] constexpr std::uint64_t hash_combine(std::uint64_t h, std::uint64_t part) {
  return hash_mix(h ^ part, kHashB);
}

[[gnu::always_inline]] constexpr std::uint64_t hash_start(std::uint64_t parts) {
  return ~(parts * kHashSeed);
}

inline double canonical_double(double value) {
  if (value != value) return __builtin_nan("");
  return value == 0 ? 0.0 : value;
}

template <class K>
concept HasOwnKeyHash = requires(const K& key) {
  { KeyHash<K>::hash(key) } -> Same<std::uint64_t>;
};

template <class K>
concept HasOwnKeyEqual = requires(const K& key) {
  static_cast<bool>(KeyHash<K>::equal(key, key));
};

template <class K>
concept HasEquality = requires(const K& key) {
  static_cast<bool>(key == key);
};

enum class KeyProblem { kNone, kNoHash, kNoEquality, kPointer };

template <class Parts>
struct KeyParts;

template <class K>
constexpr KeyProblem find_key_problem() {
  constexpr Shape shape = shape_v<K>;
  if constexpr (std::is_array_v<K>) {
    return find_key_problem<std::remove_cv_t<std::remove_extent_t<K>>>();
  } else if constexpr (HasOwnKeyHash<K>) {
    return HasOwnKeyEqual<K> || HasEquality<K> ? KeyProblem::kNone : KeyProblem::kNoEquality;
  } else if constexpr (shape == Shape::kScalar || shape == Shape::kString ||
                       shape == Shape::kView) {
    return KeyProblem::kNone;
  } else if constexpr (shape == Shape::kPointer || ViewShape<K>) {
    return KeyProblem::kPointer;
  } else if constexpr (shape == Shape::kOther || shape == Shape::kSet || shape == Shape::kMap) {
    return KeyProblem::kNoHash;
  } else {
    return KeyParts<typename ShapeOf<K>::Parts>::find();
  }
}

template <class... P>
struct KeyParts<TypeList<P...>> {
  static constexpr KeyProblem find() {
    KeyProblem first = KeyProblem::kNone;
    (void)(((first = find_key_problem<std::remove_cv_t<P>>()) != KeyProblem::kNone) || ...);
    return first;
  }
};

template <class K>
inline constexpr KeyProblem key_problem = find_key_problem<std::remove_cv_t<K>>();

template <class K>
constexpr bool require_key() {
  static_assert(key_problem<K> != KeyProblem::kNoHash,
                "freshet: this type can't be a key, it has no key hash: make it an aggregate of "
                "types that have one, or specialise freshet::KeyHash<T>");
  static_assert(key_problem<K> != KeyProblem::kNoEquality,
                "freshet: this type can't be a key, it has freshet::KeyHash<T> but no equality: "
                "give it operator==, or KeyHash<T> a static bool equal(const T&, const T&)");
  static_assert(key_problem<K> != KeyProblem::kPointer,
                "freshet: this type can't be a key, it holds a pointer, reference or span, which "
                "differs from process to process: use the value it points at");
  return true;
}

}  // namespace detail

template <class K>
concept KeyType = detail::key_problem<K>
== detail::KeyProblem::kNone;

// One readable error if K can't be a key, none otherwise.
#define FRESHET_REQUIRE_KEY(...) static_assert(::freshet::detail::require_key<__VA_ARGS__>())

template <class K>
std::uint64_t key_hash(const K& key);

namespace detail {

template <class... P>
[[gnu::always_inline]] inline std::uint64_t hash_parts(const P&... parts) {
  std::uint64_t h = hash_start(sizeof...(P));
  ((h = hash_combine(h, key_hash(parts))), ...);
  return h;
}

template <class Range>
std::uint64_t hash_elements(const Range& range, std::size_t size) {
  std::uint64_t h = hash_start(size);
  for (const auto& element : range) h = hash_combine(h, key_hash(element));
  return h;
}

template <class T, std::size_t... I>
std::uint64_t hash_variant(const T& variant, std::index_sequence<I...>) {
  using std::get;
  std::uint64_t h = hash_start(variant.index());
  (void)((variant.index() == I && (h = hash_combine(h, key_hash(get<I>(variant))), true)) || ...);
  return h;
}

template <class K>
[[gnu::always_inline]] inline std::uint64_t key_hash_of(const K& key) {
  constexpr Shape shape = shape_v<K>;
  if constexpr (HasOwnKeyHash<K>) {
    return KeyHash<K>::hash(key);
  } else if constexpr (std::is_floating_point_v<K>) {
    const double value = canonical_double(static_cast<double>(key));
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return hash_int(bits);
  } else if constexpr (shape == Shape::kScalar) {
    return hash_int(static_cast<std::uint64_t>(key));
  } else if constexpr (shape == Shape::kString || shape == Shape::kView) {
    return hash_bytes(key.data(), key.size());
  } else if constexpr (shape == Shape::kTuple) {
    return std::apply([](const auto&... parts) { return hash_parts(parts...); }, key);
  } else if constexpr (shape == Shape::kAggregate) {
    return visit_fields(key, [](const auto&... parts) { return hash_parts(parts...); });
  } else if constexpr (shape == Shape::kArray) {
    return hash_elements(key, ShapeOf<K>::count);
  } else if constexpr (shape == Shape::kSequence) {
    return hash_elements(key, key.size());
  } else if constexpr (shape == Shape::kOptional) {
    return key.has_value() ? hash_parts(*key) : hash_parts();
  } else {
    return hash_variant(key, std::make_index_sequence<list_size<typename ShapeOf<K>::Parts>>{});
  }
}

}  // namespace detail

template <class K>
[[gnu::always_inline]] inline std::uint64_t key_hash(const K& key) {
  FRESHET_REQUIRE_KEY(K);
  if constexpr (KeyType<K>) {
    return detail::key_hash_of(key);
  } else {
    return 0;
  }
}

// Equality of canonical forms: what is equal here hashes equal. A view may be compared with what
// owns its bytes, also inside a pair, tuple or optional.
template <class A, class B>
bool key_equal(const A& a, const B& b);

namespace detail {

template <std::size_t... I, class A, class B>
[[gnu::always_inline]] inline bool parts_equal(const A& a, const B& b, std::index_sequence<I...>) {
  using std::get;
  return (key_equal(get<I>(a), get<I>(b)) && ...);
}

template <class A, class B>
bool elements_equal(const A& a, const B& b) {
  auto other = std::begin(b);
  for (const auto& element : a) {
    if (!key_equal(element, *other)) return false;
    ++other;
  }
  return true;
}

template <class T, std::size_t... I>
bool variants_equal(const T& a, const T& b, std::index_sequence<I...>) {
  using std::get;
  if (a.index() != b.index()) return false;
  return a.valueless_by_exception() || ((a.index() == I && key_equal(get<I>(a), get<I>(b))) || ...);
}

}  // namespace detail

template <class A, class B>
[[gnu::always_inline]] inline bool key_equal(const A& a, const B& b) {
  using detail::Shape;
  constexpr Shape shape = detail::shape_v<A>;
  if constexpr (detail::HasOwnKeyEqual<A>) {
    return KeyHash<A>::equal(a, b);
  } else if constexpr (detail::HasOwnKeyHash<A>) {
    return static_cast<bool>(a == b);
  } else if constexpr (std::is_floating_point_v<A>) {
    return a == b || (a != a && b != b);
  } else if constexpr (shape == Shape::kScalar) {
    return static_cast<std::uint64_t>(a) == static_cast<std::uint64_t>(b);
  } else if constexpr (shape == Shape::kString || shape == Shape::kView) {
    return std::string_view(a) == std::string_view(b);
  } else if constexpr (shape == Shape::kTuple) {
    return detail::parts_equal(a, b, std::make_index_sequence<std::tuple_size_v<A>>{});
  } else if constexpr (shape == Shape::kAggregate) {
    return detail::visit_fields(a, [&](const auto&... left) {
      return detail::visit_fields(
          b, [&](const auto&... right) { return (key_equal(left, right) && ...); });
    });
  } else if constexpr (shape == Shape::kArray) {
    return detail::elements_equal(a, b);
  } else if constexpr (shape == Shape::kSequence) {
    return a.size() == b.size() && detail::elements_equal(a, b);
  } else if constexpr (shape == Shape::kOptional) {
    return a.has_value() == b.has_value() && (!a.has_value() || key_equal(*a, *b));
  } else {
    return detail::variants_equal(
        a, b, std::make_index_sequence<detail::list_size<typename detail::ShapeOf<A>::Parts>>{});
  }
}

// ---- key groups -------------------------------------------------------------------------------

inline constexpr std::uint32_t kMaxParallelismLimit = 32768;

// The key groups [first, end), in the order of hashes.
struct KeyGroupRange {
  std::uint32_t first = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const { return end - first; }
  bool contains(std::uint32_t group) const { return group >= first && group < end; }
  friend bool operator==(const KeyGroupRange&, const KeyGroupRange&) = default;
};

// All of these require 1 <= parallelism <= max_parallelism <= kMaxParallelismLimit.

// The hash scaled to [0, max_parallelism): groups are equal, contiguous pieces of the hash's range.
constexpr std::uint32_t key_group(std::uint64_t hash, std::uint32_t max_parallelism) {
  return static_cast<std::uint32_t>((static_cast<detail::Uint128>(hash) * max_parallelism) >> 64);
}

// The least hash in a group; requires group < max_parallelism.
constexpr std::uint64_t first_hash_of_group(std::uint32_t group, std::uint32_t max_parallelism) {
  const detail::Uint128 scaled = static_cast<detail::Uint128>(group) << 64;
  return static_cast<std::uint64_t>((scaled + max_parallelism - 1) / max_parallelism);
}

// Which subtask owns a group.
constexpr std::uint32_t subtask_of_group(std::uint32_t group, std::uint32_t max_parallelism,
                                         std::uint32_t parallelism) {
  return group * parallelism / max_parallelism;  // below 2^30
}

// Which groups a subtask owns: those for which subtask_of_group() gives it.
constexpr KeyGroupRange key_groups_of(std::uint32_t subtask, std::uint32_t parallelism,
                                      std::uint32_t max_parallelism) {
  const std::uint32_t first = (subtask * max_parallelism + parallelism - 1) / parallelism;
  const std::uint32_t end = ((subtask + 1) * max_parallelism + parallelism - 1) / parallelism;
  return {first, end};
}

}  // namespace freshet
