// What a record type looks like on the wire, as a value; and how a Serde describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet {

template <class T>
struct Serde;

class SchemaBuilder;

// The canonical description of a record type: kinds, sizes and order of its parts. The names of
// C++ types play no part (they differ by compiler), names and versions that a Serde gives do.
// Two types with equal schemas are written as the same bytes: string and string_view, or a pair
// and an aggregate of two such fields. Immutable once built; any thread may read it.
//
// The names of an aggregate's fields go along beside it, where the compiler gives them: they are no
// part of text() and fingerprint(), and tell those apart who mean different things by equal bytes.
class FRESHET_API Schema {
 public:
  enum class Kind : std::uint8_t {
    kScalar,    // name says which: i8..i64, u8..u64, f32, f64, bool, char ...
    kEnum,      // one part: the underlying integer
    kString,    // bytes, UTF-8 by habit and not checked
    kBytes,     // size() raw bytes of a type that opted in
    kRecord,    // parts in order: aggregate, pair, tuple, or a named record
    kArray,     // size() times one part
    kList,      // count, then so many of one part
    kSet,       // the same
    kMap,       // count, then so many pairs of two parts
    kOptional,  // a bool, then perhaps one part
    kVariant,   // place, then the part at it
    kMsgpack,   // MSGPACK_DEFINE: its fields are not seen from here
    kOpaque,    // known to its Serde alone: name and version
  };

  Kind kind() const noexcept { return kind_; }
  const std::string& name() const noexcept { return name_; }    // "" if it has none
  const std::string& label() const noexcept { return label_; }  // as a field, if its Serde says
  const std::string& field() const noexcept { return field_; }  // its name in its class, or ""
  std::uint32_t version() const noexcept { return version_; }   // 0 if none was given
  std::size_t size() const noexcept { return size_; }           // of kScalar, kBytes, kArray
  const std::vector<Schema>& parts() const noexcept { return parts_; }

  // Bytes on the wire if every value takes the same, else 0.
  std::size_t wire_size() const;

  // True if MessagePack is used for it or for a part of it, which is the slow way.
  bool uses_msgpack() const;

  // One line, e.g. "{i64,string,list(f64)}" or "Money:2{cents:i64}". Equal texts, equal schemas.
  std::string text() const;

  // text() with the names of fields, where they are known: for people.
  std::string text_with_names() const;

  // A hash of text(), equal in every process, compiler and release.
  std::uint64_t fingerprint() const;

  // What this schema and an equal one call their fields. kOtherOrder: a name that both have stands
  // at another place, so that what is read as one field was written as another. Names that one of
  // them does not know are no difference.
  enum class Names : std::uint8_t { kAlike, kOthers, kOtherOrder };
  Names compare_names(const Schema& other) const;

  friend bool operator==(const Schema& a, const Schema& b) { return a.text() == b.text(); }

 private:
  friend class SchemaBuilder;
  void append_text(std::string& out, bool names) const;

  Kind kind_ = Kind::kRecord;
  std::uint32_t version_ = 0;
  std::size_t size_ = 0;
  std::string name_;
  std::string label_;
  std::string field_;
  std::vector<Schema> parts_;
};

// Handed to Serde<T>::describe(), which says what T is by one of the calls below (a record if by
// none), then adds its parts by one field<P>() each, in the order in which they are written:
//
//   static void describe(SchemaBuilder& builder) {
//     builder.record("Money", /*version=*/2).field<std::int64_t>("cents").field<Currency>();
//   }
class FRESHET_API SchemaBuilder {
 public:
  explicit SchemaBuilder(Schema& schema) noexcept : schema_(schema) {}

  void scalar(const char* name, std::size_t bytes);
  void bytes(std::size_t size);
  SchemaBuilder& array(std::size_t count);
  SchemaBuilder& of_kind(Schema::Kind kind);

  // A name and a version belong to the schema: a new version is another schema.
  SchemaBuilder& record(const std::string& name = "", std::uint32_t version = 0);
  void opaque(const std::string& name, std::uint32_t version);

  // The label belongs to the schema, the name goes along beside it.
  template <class P>
  SchemaBuilder& field(const char* label = "", std::string_view name = {}) {
    SchemaBuilder part(add_part(label, name));
    Serde<P>::describe(part);
    return *this;
  }

 private:
  Schema& add_part(const char* label, std::string_view name);

  Schema& schema_;
};

}  // namespace freshet
