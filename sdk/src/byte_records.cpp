#include "freshet/plugin/byte_records.h"

#include <cassert>
#include <cstring>
#include <new>

#include "freshet/error.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/record_type.h"

namespace freshet {

namespace {

using KeyedView = Keyed<std::string_view, std::string_view>;
using KeyedText = Keyed<std::string, std::string>;

std::uint64_t fingerprint_of(const RecordType& type) { return type.schema().fingerprint(); }

}  // namespace

const RecordType& byte_record_type() { return record_type<std::string_view>(); }
const RecordType& keyed_byte_record_type() { return record_type<KeyedView>(); }

ByteSchema byte_record_schema() {
  const Schema& schema = byte_record_type().schema();
  return {schema.text(), schema.fingerprint()};
}
ByteSchema keyed_byte_record_schema() {
  const Schema& schema = keyed_byte_record_type().schema();
  return {schema.text(), schema.fingerprint()};
}

ByteOutput::ByteOutput(Output& output, Keys keys)
    : output_(&output),
      batch_(&output.open(keys == Keys::kKeyed ? keyed_byte_record_type() : byte_record_type())),
      keys_(keys) {}

void* ByteOutput::next_row(std::int64_t timestamp) {
  const bool with_timestamp = timestamp != kNoTimestamp;
  if (!batch_->empty() && with_timestamp != with_timestamps_) flush();
  with_timestamps_ = with_timestamp;
  if (with_timestamp) batch_->timestamp_column()[batch_->size()] = timestamp;
  return static_cast<char*>(batch_->raw_rows()) + std::size_t{batch_->size()} * batch_->type().size;
}

std::string_view ByteOutput::kept(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* const at = batch_->allocate(bytes.size());
  std::memcpy(at, bytes.data(), bytes.size());
  return {at, bytes.size()};
}

void ByteOutput::written() {
  batch_->set_size(batch_->size() + 1);
  if (batch_->size() == batch_->capacity() || batch_->is_heavy()) flush();
}

void ByteOutput::emit(std::string_view record, std::int64_t timestamp) {
  assert(keys_ == Keys::kNone);
  void* const row = next_row(timestamp);
  ::new (row) std::string_view(kept(record));
  written();
}

void ByteOutput::emit_keyed(std::string_view key, std::string_view value, std::int64_t timestamp) {
  assert(keys_ == Keys::kKeyed);
  void* const row = next_row(timestamp);
  ::new (row) KeyedView{key_hash(key), kept(key), kept(value)};
  written();
}

void ByteOutput::flush() {
  if (batch_->empty()) return;
  batch_->set_has_timestamps(with_timestamps_);
  batch_ = &output_->send(*batch_, true);
}

ByteRows::ByteRows(const Batch& batch) : batch_(batch) {
  const RecordType& type = batch.type();
  keyed_ = fingerprint_of(type) == fingerprint_of(keyed_byte_record_type()) && type.keyed;
  if (!keyed_ && fingerprint_of(type) != fingerprint_of(byte_record_type())) {
    throw InvalidInput("an operator of byte records is given records of schema " +
                       type.schema().text() + ": feed it " + byte_record_type().schema().text() +
                       " or keyed rows of it");
  }
  // Equal schemas, but rows of another module or of the DataStream API may own their bytes.
  views_ = type.size == (keyed_ ? sizeof(KeyedView) : sizeof(std::string_view));
}

std::string_view ByteRows::key(std::uint32_t row) const {
  assert(keyed_);
  return views_ ? batch_.rows<KeyedView>()[row].key
                : std::string_view(batch_.rows<KeyedText>()[row].key);
}

std::string_view ByteRows::record(std::uint32_t row) const {
  if (keyed_) {
    return views_ ? batch_.rows<KeyedView>()[row].value
                  : std::string_view(batch_.rows<KeyedText>()[row].value);
  }
  return views_ ? batch_.rows<std::string_view>()[row]
                : std::string_view(batch_.rows<std::string>()[row]);
}

}  // namespace freshet
