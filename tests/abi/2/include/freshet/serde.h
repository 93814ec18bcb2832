// Serde<T>: how a record, a key, a state value or a function object's captures become bytes.
//
// It exists for arithmetic types, enums, std::string, std::string_view (read as a view into the
// reader's memory), pair, tuple, optional, variant, vector, deque, list, array, set and map
// (ordered or not), and for aggregates of these, field by field. No header has to be included for
// any of them. Beyond that, for a type T of yours:
//
//   * specialise freshet::Serde<T> with the three functions of the primary template below; every
//     value must take at least one byte, or
//   * a trivially copyable class that is no aggregate may be written as its raw bytes:
//     template <> inline constexpr bool freshet::trivially_serializable<T> = true;
//   * MSGPACK_DEFINE works with freshet/serde/msgpack.h included, and is the slow way.
//
// A pointer, reference, span or view inside a record does not compile: it means nothing in another
// process. (pair, tuple and optional may hold a string_view while they travel in a batch: views.h.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "freshet/serde/bytes.h"
#include "freshet/serde/field_names.h"
#include "freshet/serde/schema_builder.h"
#include "freshet/serde/serializable.h"

namespace freshet {

template <class T>
struct Serde : detail::BuiltInSerde {
  static void write(ByteWriter& writer, const T& value);
  static T read(ByteReader& reader);
  static void describe(SchemaBuilder& builder);
};

// n rows, nothing before or between them; one memcpy where the rows' memory is their format.
template <class T>
void write_rows(ByteWriter& writer, const T* rows, std::size_t n) {
  FRESHET_REQUIRE_SERDE(T);
  if constexpr (detail::packed_v<T>) {
    writer.write(rows, n * sizeof(T));
  } else if constexpr (Serializable<T>) {
    for (std::size_t i = 0; i < n; ++i) Serde<T>::write(writer, rows[i]);
  }
}

// Constructs n rows in raw memory at `rows`, which the caller destroys. If it throws, none is left.
template <class T>
void read_rows(ByteReader& reader, T* rows, std::size_t n) {
  FRESHET_REQUIRE_SERDE(T);
  if constexpr (detail::packed_v<T>) {
    const bool absurd = n > SIZE_MAX / sizeof(T);
    reader.read(static_cast<void*>(rows), absurd ? SIZE_MAX : n * sizeof(T), "batch of rows");
  } else if constexpr (Serializable<T>) {
    std::size_t made = 0;
    try {
      for (; made < n; ++made) ::new (static_cast<void*>(rows + made)) T(Serde<T>::read(reader));
    } catch (...) {
      while (made != 0) rows[--made].~T();
      throw;
    }
  }
}

template <class T>
std::string to_bytes(const T& value) {
  ByteWriter writer;
  Serde<T>::write(writer, value);
  return std::string(writer.view());
}

// Throws DecodeError unless `bytes` are one T, whole. Views in the result point into `bytes`.
template <class T>
T from_bytes(std::string_view bytes) {
  ByteReader reader(bytes);
  T value = Serde<T>::read(reader);
  reader.expect_end("end of the value");
  return value;
}

// A plain array inside an aggregate; can't be returned, so it is read in place.
template <class E, std::size_t N>
struct Serde<E[N]> : detail::BuiltInSerde {
  static void write(ByteWriter& writer, const E (&values)[N]) { write_rows(writer, values, N); }
  static void read_into(ByteReader& reader, E (&values)[N]);
  static void describe(SchemaBuilder& builder) { builder.array(N).template field<E>(); }
};

namespace detail {

template <class T>
void read_into(ByteReader& reader, T& value) {
  if constexpr (std::is_array_v<T>) {
    Serde<T>::read_into(reader, value);
  } else {
    value = Serde<T>::read(reader);
  }
}

// The fewest bytes that a value takes, so that a lying count is refused before memory is had for
// it. Every value takes one at least: a type without parts is written as a zero byte.
template <class T>
inline constexpr std::size_t least_bytes = std::is_arithmetic_v<T> || packed_v<T> ? sizeof(T) : 1;

inline void write_no_parts(ByteWriter& writer) { writer.write_fixed(std::uint8_t{0}); }

inline void read_no_parts(ByteReader& reader) {
  auto byte = reader.read_fixed<std::uint8_t>("value without parts");
  if (byte != 0) reader.fail_value("value without parts", byte, "0");
}

template <class T>
struct ScalarSerde {
  static void write(ByteWriter& writer, T value) {
    if constexpr (std::is_same_v<T, long double>) {
      char bytes[sizeof(T)] = {};  // without its padding
      std::memcpy(bytes, &value, __LDBL_MANT_DIG__ == 64 ? 10 : sizeof(T));
      writer.write(bytes, sizeof bytes);
    } else {
      writer.write_fixed(value);
    }
  }

  static T read(ByteReader& reader) {
    if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(ScalarSerde<std::underlying_type_t<T>>::read(reader));
    } else if constexpr (std::is_same_v<T, bool>) {
      return reader.read_bool();
    } else {
      return reader.read_fixed<T>(scalar_name<T>());
    }
  }

  static void describe(SchemaBuilder& builder) {
    if constexpr (std::is_enum_v<T>) {
      builder.of_kind(Schema::Kind::kEnum).template field<std::underlying_type_t<T>>();
    } else {
      builder.scalar(scalar_name<T>(), sizeof(T));
    }
  }
};

template <class T>
struct StringSerde {
  static void write(ByteWriter& writer, std::string_view value) { writer.write_string(value); }
  static T read(ByteReader& reader) { return T(reader.read_string()); }
  static void describe(SchemaBuilder& builder) { builder.of_kind(Schema::Kind::kString); }
};

template <class T>
struct RawSerde {
  static void write(ByteWriter& writer, const T& value) {
    writer.write(__builtin_addressof(value), sizeof(T));
  }
  static T read(ByteReader& reader) {
    alignas(T) unsigned char bytes[sizeof(T)];
    reader.read(bytes, sizeof(T), "raw bytes of a trivially copyable type");
    return *std::launder(reinterpret_cast<T*>(bytes));
  }
  static void describe(SchemaBuilder& builder) { builder.bytes(sizeof(T)); }
};

template <class T, class Parts = typename ShapeOf<T>::Parts>
struct TupleSerde;

template <class T, class... P>
struct TupleSerde<T, TypeList<P...>> {
  static void write(ByteWriter& writer, const T& value) {
    if constexpr (sizeof...(P) == 0) write_no_parts(writer);
    std::apply([&](const P&... parts) { (Serde<P>::write(writer, parts), ...); }, value);
  }
  static T read(ByteReader& reader) {
    if constexpr (sizeof...(P) == 0) read_no_parts(reader);
    return T{Serde<P>::read(reader)...};  // braces: in order
  }
  static void describe(SchemaBuilder& builder) {
    builder.record();
    (builder.template field<P>(), ...);
  }
};

template <class T, class Parts = typename ShapeOf<T>::Parts>
struct AggregateSerde;

template <class T, class... P>
struct AggregateSerde<T, TypeList<P...>> {
  static void write(ByteWriter& writer, const T& value) {
    if constexpr (packed_v<T>) {
      writer.write(__builtin_addressof(value), sizeof(T));
    } else if constexpr (sizeof...(P) == 0) {
      write_no_parts(writer);
    } else {
      visit_fields(value, [&](const P&... parts) { (Serde<P>::write(writer, parts), ...); });
    }
  }
  static T read(ByteReader& reader) {
    T value{};
    if constexpr (packed_v<T>) {
      reader.read(static_cast<void*>(__builtin_addressof(value)), sizeof(T), "record");
    } else if constexpr (sizeof...(P) == 0) {
      read_no_parts(reader);
    } else {
      visit_fields(value, [&](P&... parts) { (detail::read_into(reader, parts), ...); });
    }
    return value;
  }
  static void describe(SchemaBuilder& builder) {
    builder.record();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (builder.template field<P>("", field_name<T, I>()), ...);
    }
    (std::index_sequence_for<P...>{});
  }
};

template <class E, std::size_t N>
struct ArraySerde {
  using T = std::array<E, N>;
  static void write(ByteWriter& writer, const T& value) {
    if constexpr (N == 0) write_no_parts(writer);
    write_rows(writer, value.data(), N);
  }
  static T read(ByteReader& reader) {
    T value{};
    if constexpr (N == 0) {
      read_no_parts(reader);
    } else if constexpr (packed_v<E>) {
      reader.read(static_cast<void*>(value.data()), sizeof(E) * N, "array");
    } else {
      for (E& element : value) detail::read_into(reader, element);
    }
    return value;
  }
  static void describe(SchemaBuilder& builder) { builder.array(N).template field<E>(); }
};

template <class T, class E>
struct SequenceSerde {
  static constexpr bool kOneCopy = packed_v<E> && requires(T & t) {
    { t.data() } -> Same<E*>;
    t.resize(1);
  };
  static void write(ByteWriter& writer, const T& value) {
    writer.write_varint(value.size());
    if constexpr (kOneCopy) {
      writer.write(value.data(), value.size() * sizeof(E));
    } else {
      for (const auto& element : value) Serde<E>::write(writer, element);
    }
  }
  static T read(ByteReader& reader) {
    std::size_t count = reader.read_count(least_bytes<E>, "list");
    T value;
    if constexpr (kOneCopy) {
      value.resize(count);
      reader.read(static_cast<void*>(value.data()), count * sizeof(E), "list");
    } else {
      // A count may still lie, so no more is reserved than what is left could fill.
      if constexpr (requires { value.reserve(count); }) {
        const std::size_t most = reader.remaining() / sizeof(E) + 1;
        value.reserve(count < most ? count : most);
      }
      for (; count != 0; --count) value.push_back(Serde<E>::read(reader));
    }
    return value;
  }
  static void describe(SchemaBuilder& builder) {
    builder.of_kind(Schema::Kind::kList).template field<E>();
  }
};

template <class T, class K>
struct SetSerde {
  static void write(ByteWriter& writer, const T& value) {
    writer.write_varint(value.size());
    for (const K& key : value) Serde<K>::write(writer, key);
  }
  static T read(ByteReader& reader) {
    T value;
    for (std::size_t n = reader.read_count(least_bytes<K>, "set"); n != 0; --n)
      value.emplace(Serde<K>::read(reader));
    return value;
  }
  static void describe(SchemaBuilder& builder) {
    builder.of_kind(Schema::Kind::kSet).template field<K>();
  }
};

template <class T, class K, class V>
struct MapSerde {
  static void write(ByteWriter& writer, const T& map) {
    writer.write_varint(map.size());
    for (const auto& [key, value] : map) {
      Serde<K>::write(writer, key);
      Serde<V>::write(writer, value);
    }
  }
  static T read(ByteReader& reader) {
    T map;
    for (std::size_t n = reader.read_count(least_bytes<K> + least_bytes<V>, "map"); n != 0; --n) {
      K key = Serde<K>::read(reader);
      map.emplace(std::move(key), Serde<V>::read(reader));
    }
    return map;
  }
  static void describe(SchemaBuilder& builder) {
    builder.of_kind(Schema::Kind::kMap).template field<K>().template field<V>();
  }
};

template <class T, class E>
struct OptionalSerde {
  static void write(ByteWriter& writer, const T& value) {
    writer.write_fixed(value.has_value());
    if (value.has_value()) Serde<E>::write(writer, *value);
  }
  static T read(ByteReader& reader) {
    T value;
    if (reader.read_bool()) value.emplace(Serde<E>::read(reader));
    return value;
  }
  static void describe(SchemaBuilder& builder) {
    builder.of_kind(Schema::Kind::kOptional).template field<E>();
  }
};

[[noreturn]] FRESHET_API void fail_valueless();

template <class T, class... A>
struct VariantSerde {
  static void write(ByteWriter& writer, const T& value) {
    if (value.valueless_by_exception()) fail_valueless();
    writer.write_varint(value.index());
    write_at(writer, value, std::index_sequence_for<A...>{});
  }
  static T read(ByteReader& reader) {
    std::uint64_t place = reader.read_varint("variant");
    if (place >= sizeof...(A)) reader.fail_value("place in a variant", place, "one it has");
    return read_at<0, A...>(reader, place);
  }
  static void describe(SchemaBuilder& builder) {
    builder.of_kind(Schema::Kind::kVariant);
    (builder.template field<A>(), ...);
  }

 private:
  template <std::size_t... I>
  static void write_at(ByteWriter& writer, const T& value, std::index_sequence<I...>) {
    using std::get;
    (void)((value.index() == I && (Serde<A>::write(writer, get<I>(value)), true)) || ...);
  }
  template <std::size_t I, class First, class... Rest>
  static T read_at(ByteReader& reader, std::uint64_t place) {
    if constexpr (sizeof...(Rest) != 0) {
      if (place != I) return read_at<I + 1, Rest...>(reader, place);
    }
    return T(std::in_place_index<I>, Serde<First>::read(reader));
  }
};

// Which of the above is T's.
template <class T, Shape = trivially_serializable<T> ? Shape::kOther : shape_v<T>,
          class Parts = typename ShapeOf<T>::Parts>
struct SerdeFor : RawSerde<T> {};
template <class T, class P>
struct SerdeFor<T, Shape::kScalar, P> : ScalarSerde<T> {};
template <class T, class P>
struct SerdeFor<T, Shape::kString, P> : StringSerde<T> {};
template <class T, class P>
struct SerdeFor<T, Shape::kView, P> : StringSerde<T> {};
template <class T, class P>
struct SerdeFor<T, Shape::kTuple, P> : TupleSerde<T, P> {};
template <class T, class P>
struct SerdeFor<T, Shape::kAggregate, P> : AggregateSerde<T, P> {};
template <class T, class E>
struct SerdeFor<T, Shape::kArray, TypeList<E>> : ArraySerde<E, ShapeOf<T>::count> {};
template <class T, class E>
struct SerdeFor<T, Shape::kSequence, TypeList<E>> : SequenceSerde<T, E> {};
template <class T, class K>
struct SerdeFor<T, Shape::kSet, TypeList<K>> : SetSerde<T, K> {};
template <class T, class K, class V>
struct SerdeFor<T, Shape::kMap, TypeList<K, V>> : MapSerde<T, K, V> {};
template <class T, class E>
struct SerdeFor<T, Shape::kOptional, TypeList<E>> : OptionalSerde<T, E> {};
template <class T, class... A>
struct SerdeFor<T, Shape::kVariant, TypeList<A...>> : VariantSerde<T, A...> {};

}  // namespace detail

template <class T>
void Serde<T>::write(ByteWriter& writer, const T& value) {
  FRESHET_REQUIRE_SERDE(T);
  if constexpr (Serializable<T>) detail::SerdeFor<T>::write(writer, value);
}

template <class T>
T Serde<T>::read(ByteReader& reader) {
  FRESHET_REQUIRE_SERDE(T);
  if constexpr (Serializable<T>) {
    return detail::SerdeFor<T>::read(reader);
  } else {
    __builtin_unreachable();
  }
}

template <class T>
void Serde<T>::describe(SchemaBuilder& builder) {
  FRESHET_REQUIRE_SERDE(T);
  if constexpr (Serializable<T>) detail::SerdeFor<T>::describe(builder);
}

template <class E, std::size_t N>
void Serde<E[N]>::read_into(ByteReader& reader, E (&values)[N]) {
  if constexpr (detail::packed_v<E>) {
    reader.read(static_cast<void*>(values), sizeof values, "array");
  } else {
    for (E& element : values) detail::read_into(reader, element);
  }
}

}  // namespace freshet
