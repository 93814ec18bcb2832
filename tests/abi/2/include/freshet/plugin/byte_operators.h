// Bases for operators of byte records (freshet/plugin/byte_records.h), with what each would write again:
// the output is opened, records are counted and sent on, watermarks are passed on.
//
//   class Upper final : public freshet::ByteOperator {
//    public:
//     static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
//       return std::make_unique<Upper>();
//     }
//
//    private:
//     void row(const freshet::ByteRows& rows, std::uint32_t i) override {
//       emit(in_capitals(rows.record(i)), rows.timestamp(i));
//     }
//   };
//   FRESHET_OPERATOR("text.upper", Upper);
//
// They write to output 0, if the vertex has one: a sink is a ByteOperator that emits nothing. An
// operator with side outputs derives from Operator itself.
//
// Threads    As all of an Operator: the operator's fiber.
// Errors     What a hook throws fails the job with the operator's name.
#pragma once

#include <cstdint>
#include <string_view>

#include "freshet/api.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/operator.h"

namespace freshet {

class FRESHET_API ByteEmitter : public Operator {
 public:
  // Overriding ones call this one first.
  void open(OperatorContext& context) override;

 protected:
  explicit ByteEmitter(ByteOutput::Keys keys) : keys_(keys) {}

  // Which of them is for the constructor's Keys to say. The bytes are copied. Throw InvalidInput if
  // the vertex has no output.
  void emit(std::string_view record, std::int64_t timestamp = kNoTimestamp);
  void emit_keyed(std::string_view key, std::string_view value,
                  std::int64_t timestamp = kNoTimestamp);
  // Sends on what was emitted. The hooks of these classes do so by themselves; a timer, a call of
  // the mailbox and other hooks of Operator that emit call it at their end.
  void flush();
  void pass_on_watermark(std::int64_t timestamp);
  void count_input(std::uint32_t records);
  // As open() got it.
  OperatorContext& context() { return *context_; }

 private:
  void must_emit(ByteOutput::Keys keys) const;

  const ByteOutput::Keys keys_;
  OperatorContext* context_ = nullptr;
  Output* output_ = nullptr;  // null: the vertex has none
  ByteOutput out_;
  std::uint64_t emitted_ = 0;  // and not yet counted
};

// Takes rows one by one.
class FRESHET_API ByteOperator : public ByteEmitter {
 public:
  void process(std::uint32_t input, Batch& batch) final;
  void watermark(std::int64_t timestamp) override;
  void end_of_input(std::uint32_t input) final;

 protected:
  explicit ByteOperator(ByteOutput::Keys keys = ByteOutput::Keys::kNone) : ByteEmitter(keys) {}

  // rows.key(i), rows.record(i), rows.timestamp(i); the bytes are gone after the call.
  virtual void row(const ByteRows& rows, std::uint32_t i) = 0;
  // Which input the row of this call came by.
  std::uint32_t input() const { return input_; }
  // An input has come to its end: what was kept back for that is emitted now. Once per input.
  virtual void ended(std::uint32_t input);

 private:
  std::uint32_t input_ = 0;
};

// Makes records. Its vertex is marked as a source and has an output.
class FRESHET_API ByteSource : public ByteEmitter {
 public:
  void open(OperatorContext& context) override;
  Progress run(std::uint32_t records) final;
  void process(std::uint32_t input, Batch& batch) final;
  void watermark(std::int64_t timestamp) final;
  void end_of_input(std::uint32_t input) final;

 protected:
  explicit ByteSource(ByteOutput::Keys keys = ByteOutput::Keys::kNone) : ByteEmitter(keys) {}

  // Emits about `records` records and returns: nothing else of the task happens meanwhile.
  virtual Progress read(std::uint32_t records) = 0;
};

}  // namespace freshet
