// How a message becomes bytes: a MessagePack map by field name. Fields that the reader does not
// know are skipped, those that the writer left out keep the default of the member.
//
// Included by the file that instantiates the messages of a header, once each, and by nobody who
// only sends or handles them: FRESHET_PACKS(Message) for a message, FRESHET_PACKS_REQUEST(Message)
// for one with an answer.
#pragma once

#include <array>
#include <cstddef>
#include <msgpack.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "links/envelope.h"
#include "links/link_typed.h"

#define FRESHET_PACKS(Type)                                \
  template FRESHET_API std::string pack_body(const Type&); \
  template FRESHET_API Type unpack_body<Type>(const char*, std::string_view)
#define FRESHET_PACKS_REQUEST(Type) \
  FRESHET_PACKS(Type);              \
  FRESHET_PACKS(Type::Answer)

namespace freshet::core {

template <class T>
concept HasFields = requires(const T& value) {
  T::kFields;
  value.fields();
};

template <class T>
constexpr std::size_t field_count = std::tuple_size_v<decltype(std::declval<const T&>().fields())>;

// The names of FRESHET_MESSAGE_FIELDS, taken apart at the commas.
template <class T>
constexpr auto field_names() {
  std::array<std::string_view, field_count<T>> names;
  std::string_view text = T::kFields;
  for (std::string_view& name : names) {
    name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 2));
  }
  return names;
}

template <class T>
std::string pack_body(const T& value) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, value);
  return {buffer.data(), buffer.size()};
}

// Reads a body that decode_frame() has let pass. Throws InvalidInput that names the kind.
template <class T>
T unpack_body(const char* kind, std::string_view body) {
  try {
    const msgpack::object_handle handle =
        msgpack::unpack(body.data(), body.size(), [](auto, auto, void*) { return true; });
    return handle.get().as<T>();
  } catch (const std::exception& error) {
    throw unreadable_body(kind, error.what());
  }
}

}  // namespace freshet::core

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <class T>
  struct pack<T, std::enable_if_t<freshet::core::HasFields<T>>> {
    template <class Stream>
    packer<Stream>& operator()(packer<Stream>& out, const T& value) const {
      out.pack_map(static_cast<std::uint32_t>(freshet::core::field_count<T>));
      [[maybe_unused]] static constexpr auto kNames = freshet::core::field_names<T>();
      std::apply(
          [&out](const auto&... field) {
            std::size_t i = 0;
            ((out.pack(kNames[i++]), out.pack(field)), ...);
            static_cast<void>(i);
          },
          value.fields());
      return out;
    }
  };

  template <class T>
  struct convert<T, std::enable_if_t<freshet::core::HasFields<T>>> {
    const msgpack::object& operator()(const msgpack::object& from, T& value) const {
      if (from.type != type::MAP) throw type_error();
      [[maybe_unused]] static constexpr auto kNames = freshet::core::field_names<T>();
      auto fields = value.fields();
      for (const object_kv& entry : from.via.map) {
        if (entry.key.type != type::STR) continue;
        const std::string_view name(entry.key.via.str.ptr, entry.key.via.str.size);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
          static_cast<void>(
              ((kNames[I] == name && (entry.val.convert(std::get<I>(fields)), true)) || ...));
        }
        (std::make_index_sequence<kNames.size()>());
      }
      return from;
    }
  };

  }  // namespace adaptor
}
}  // namespace msgpack
