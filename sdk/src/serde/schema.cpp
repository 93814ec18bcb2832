#include <algorithm>
#include <cassert>

#include "freshet/key_hash.h"
#include "freshet/serde/schema_builder.h"

namespace freshet {

std::size_t Schema::wire_size() const {
  switch (kind_) {
    case Kind::kScalar:
    case Kind::kBytes:
      return size_;
    case Kind::kEnum:
      return parts_.at(0).wire_size();
    case Kind::kArray:
      return size_ == 0 ? 1 : size_ * parts_.at(0).wire_size();
    case Kind::kRecord: {
      if (parts_.empty()) return 1;
      std::size_t sum = 0;
      for (const Schema& part : parts_) {
        const std::size_t size = part.wire_size();
        if (size == 0) return 0;
        sum += size;
      }
      return sum;
    }
    default:
      return 0;
  }
}

bool Schema::uses_msgpack() const {
  if (kind_ == Kind::kMsgpack) return true;
  for (const Schema& part : parts_) {
    if (part.uses_msgpack()) return true;
  }
  return false;
}

std::string Schema::text() const {
  std::string out;
  append_text(out, false);
  return out;
}

std::string Schema::text_with_names() const {
  std::string out;
  append_text(out, true);
  return out;
}

Schema::Names Schema::compare_names(const Schema& other) const {
  if (parts_.size() != other.parts_.size()) return Names::kOthers;
  const auto is_named = [](const Schema& part) { return !part.field_.empty(); };
  Names worst = Names::kAlike;
  if (std::all_of(parts_.begin(), parts_.end(), is_named) &&
      std::all_of(other.parts_.begin(), other.parts_.end(), is_named)) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].field_ == other.parts_[i].field_) continue;
      const bool elsewhere =
          std::any_of(other.parts_.begin(), other.parts_.end(),
                      [&](const Schema& part) { return part.field_ == parts_[i].field_; });
      worst = std::max(worst, elsewhere ? Names::kOtherOrder : Names::kOthers);
    }
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    worst = std::max(worst, parts_[i].compare_names(other.parts_[i]));
  }
  return worst;
}

std::uint64_t Schema::fingerprint() const { return key_hash(text()); }

void Schema::append_text(std::string& out, bool names) const {
  const char* open = "(";
  const char* close = ")";
  const char* between = ",";
  switch (kind_) {
    case Kind::kScalar:
      out += name_;
      return;
    case Kind::kString:
      out += "string";
      return;
    case Kind::kBytes:
      out += "bytes[" + std::to_string(size_) + "]";
      return;
    case Kind::kMsgpack:
      out += "msgpack";
      return;
    case Kind::kOpaque:
      out += "opaque " + name_ + ":" + std::to_string(version_);
      return;
    case Kind::kArray:
      parts_.at(0).append_text(out, names);
      out += "[" + std::to_string(size_) + "]";
      return;
    case Kind::kRecord:
      out += name_;
      if (version_ != 0) out += ":" + std::to_string(version_);
      open = "{";
      close = "}";
      break;
    case Kind::kEnum:
      out += "enum";
      break;
    case Kind::kList:
      out += "list";
      break;
    case Kind::kSet:
      out += "set";
      break;
    case Kind::kMap:
      out += "map";
      break;
    case Kind::kOptional:
      out += "optional";
      break;
    case Kind::kVariant:
      out += "variant";
      between = "|";
      break;
  }
  out += open;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i != 0) out += between;
    if (!parts_[i].label_.empty()) out += parts_[i].label_ + ":";
    if (names && !parts_[i].field_.empty()) out += parts_[i].field_ + ":";
    parts_[i].append_text(out, names);
  }
  out += close;
}

void SchemaBuilder::scalar(const char* name, std::size_t bytes) {
  schema_.kind_ = Schema::Kind::kScalar;
  schema_.name_ = name;
  schema_.size_ = bytes;
}

void SchemaBuilder::bytes(std::size_t size) {
  schema_.kind_ = Schema::Kind::kBytes;
  schema_.size_ = size;
}

SchemaBuilder& SchemaBuilder::array(std::size_t count) {
  schema_.kind_ = Schema::Kind::kArray;
  schema_.size_ = count;
  return *this;
}

SchemaBuilder& SchemaBuilder::of_kind(Schema::Kind kind) {
  schema_.kind_ = kind;
  return *this;
}

SchemaBuilder& SchemaBuilder::record(const std::string& name, std::uint32_t version) {
  schema_.kind_ = Schema::Kind::kRecord;
  schema_.name_ = name;
  schema_.version_ = version;
  return *this;
}

void SchemaBuilder::opaque(const std::string& name, std::uint32_t version) {
  schema_.kind_ = Schema::Kind::kOpaque;
  schema_.name_ = name;
  schema_.version_ = version;
}

Schema& SchemaBuilder::add_part(const char* label, std::string_view name) {
  schema_.parts_.emplace_back();
  schema_.parts_.back().label_ = label;
  schema_.parts_.back().field_ = name;
  return schema_.parts_.back();
}

}  // namespace freshet
