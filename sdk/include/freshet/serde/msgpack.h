// MSGPACK_DEFINE types as records: include this in the file that defines them.
//
// The slow way (each value is a MessagePack object inside a length-prefixed string), and `fr info`
// marks edges that use it: the schema sees none of the fields, so a changed list of them is found
// by the first record that does not fit and not before.
#pragma once

#include <exception>
#include <msgpack.hpp>
#include <string>

#include "freshet/serde.h"

namespace freshet {

template <class T>
requires detail::HasMsgpackDefine<T>
struct Serde<T> {
  static void write(ByteWriter& writer, const T& value) {
    msgpack::sbuffer buffer;
    msgpack::pack(buffer, value);
    writer.write_string({buffer.data(), buffer.size()});
  }

  static T read(ByteReader& reader) {
    const std::string_view bytes = reader.read_string("MessagePack value");
    try {
      // Bounds on what a lying length may ask for: no container or string is larger than the
      // bytes that it is said to be in.
      const msgpack::unpack_limit limit(bytes.size(), bytes.size(), bytes.size(), bytes.size(),
                                        bytes.size(), 128);
      const msgpack::object_handle handle =
          msgpack::unpack(bytes.data(), bytes.size(), nullptr, nullptr, limit);
      T value{};
      handle.get().convert(value);
      return value;
    } catch (const std::exception& e) {
      throw DecodeError("cannot decode a MessagePack value of " + std::to_string(bytes.size()) +
                        " bytes before offset " + std::to_string(reader.offset()) + ": " +
                        e.what());
    }
  }

  static void describe(SchemaBuilder& builder) { builder.of_kind(Schema::Kind::kMsgpack); }
};

}  // namespace freshet
