#include "freshet/plugin/byte_operators.h"

#include <string>

#include "freshet/error.h"
#include "freshet/runtime_context.h"

namespace freshet {

void ByteEmitter::open(OperatorContext& context) {
  context_ = &context;
  if (context.outputs() == 0) return;
  output_ = &context.output(0);
  out_ = ByteOutput(*output_, keys_);
}

void ByteEmitter::must_emit(ByteOutput::Keys keys) const {
  if (output_ == nullptr) {
    throw InvalidInput(
        "it emits records, but its vertex has no output: give the vertex an output in the "
        "translator, with byte_record_schema() or keyed_byte_record_schema()");
  }
  if (keys != keys_) {
    throw InvalidInput(keys_ == ByteOutput::Keys::kKeyed
                           ? "it emits a record without a key, but was made for keyed ones: call "
                             "emit_keyed(), or give its base Keys::kNone"
                           : "it emits a keyed record, but was made for those without a key: call "
                             "emit(), or give its base Keys::kKeyed");
  }
}

void ByteEmitter::emit(std::string_view record, std::int64_t timestamp) {
  must_emit(ByteOutput::Keys::kNone);
  out_.emit(record, timestamp);
  ++emitted_;
}

void ByteEmitter::emit_keyed(std::string_view key, std::string_view value, std::int64_t timestamp) {
  must_emit(ByteOutput::Keys::kKeyed);
  out_.emit_keyed(key, value, timestamp);
  ++emitted_;
}

void ByteEmitter::flush() {
  if (output_ == nullptr) return;
  out_.flush();
  context_->metrics(0).add(0, emitted_);
  emitted_ = 0;
}

void ByteEmitter::pass_on_watermark(std::int64_t timestamp) {
  flush();
  if (output_ != nullptr) output_->watermark(timestamp);
}

void ByteEmitter::count_input(std::uint32_t records) { context_->metrics(0).add(records, 0); }

void ByteOperator::process(std::uint32_t input, Batch& batch) {
  const ByteRows rows(batch);
  input_ = input;
  for (std::uint32_t i = 0; i < rows.size(); ++i) row(rows, i);
  count_input(rows.size());
  flush();
}

void ByteOperator::watermark(std::int64_t timestamp) { pass_on_watermark(timestamp); }

void ByteOperator::end_of_input(std::uint32_t input) {
  ended(input);
  flush();
}

void ByteOperator::ended(std::uint32_t) {}

void ByteSource::open(OperatorContext& context) {
  ByteEmitter::open(context);
  if (context.outputs() == 0) {
    throw InvalidInput(
        "it is a source, but its vertex has no output: give the vertex an output in the "
        "translator");
  }
}

Progress ByteSource::run(std::uint32_t records) {
  const Progress progress = read(records);
  flush();
  return progress;
}

void ByteSource::process(std::uint32_t, Batch&) {}
void ByteSource::watermark(std::int64_t) {}
void ByteSource::end_of_input(std::uint32_t) {}

}  // namespace freshet
