// Records of opaque bytes, for engines with formats of their own: written and read without a
// template of the record's type.
//
// A plain record is bytes and perhaps a timestamp. A keyed one has key and value; its hash is made
// here, so that a hash-partitioned edge takes it to the subtask that owns the key's state. In a
// DataStream the first are std::string_view or std::string, the second std::pair-like Keyed rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "freshet/plugin/batch.h"

namespace freshet {

class Output;
struct RecordType;

FRESHET_API const RecordType& byte_record_type();
FRESHET_API const RecordType& keyed_byte_record_type();

// What JobVertex::OutputSchema says of them: a translator writes these into its outputs.
struct ByteSchema {
  std::string text;
  std::uint64_t fingerprint = 0;
};
FRESHET_API ByteSchema byte_record_schema();
FRESHET_API ByteSchema keyed_byte_record_schema();

// Writes records to an output. Made in open(); one writer per output.
//
// Threads    The operator's fiber. Calls may suspend it and throw Canceled.
// Order      Records are held until the batch is full or flush(), which belongs at the end of each
//            call of the operator that wrote some, and before a watermark.
class FRESHET_API ByteOutput {
 public:
  enum class Keys : bool { kNone, kKeyed };
  ByteOutput() = default;
  ByteOutput(Output& output, Keys keys);

  // The bytes are copied. Records of one batch all have a timestamp or all have none.
  void emit(std::string_view record, std::int64_t timestamp = kNoTimestamp);
  void emit_keyed(std::string_view key, std::string_view value,
                  std::int64_t timestamp = kNoTimestamp);
  void flush();

 private:
  void* next_row(std::int64_t timestamp);
  std::string_view kept(std::string_view bytes);
  void written();

  Output* output_ = nullptr;
  Batch* batch_ = nullptr;
  Keys keys_ = Keys::kNone;
  bool with_timestamps_ = false;
};

// Reads a batch; the views last as long as the batch does. Throws InvalidInput, at construction, if
// its records are not bytes.
class FRESHET_API ByteRows {
 public:
  explicit ByteRows(const Batch& batch);
  std::uint32_t size() const { return batch_.size(); }
  bool keyed() const { return keyed_; }
  std::string_view key(std::uint32_t row) const;     // of a keyed one
  std::string_view record(std::uint32_t row) const;  // of a keyed one its value
  std::int64_t timestamp(std::uint32_t row) const { return batch_.timestamp(row); }

 private:
  const Batch& batch_;
  bool keyed_;
  bool views_;
};

}  // namespace freshet
