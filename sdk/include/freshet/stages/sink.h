// The stage of a sink, the sinks that come with the SDK, and the interface of sinks of one's own.
//
// A sink is a class that travels (see payload.h) with
//   void write(const Record&);  or  void write(const Record&, std::int64_t timestamp);
// and, where it needs them,
//   void open(RuntimeContext&);   before the first record
//   void flush();                 after each batch: what was written should be on its way
//   void end_of_input();          everything of this subtask has been written
//   void commit();                every subtask of the job has come to its end: what was held back
//                                 becomes visible
//   void close();                 always, also after a failure: end_of_input() has not been called
//   then
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "freshet/functions.h"
#include "freshet/text.h"

namespace freshet {

template <class S, class T>
concept SinkFunction = requires(S& sink, const T& record) {
  sink.write(record);
}
|| requires(S& sink, const T& record) { sink.write(record, std::int64_t{}); };

namespace detail {

template <class T, class S>
struct FRESHET_HIDDEN SinkStage {
  using In = T;
  using Out = void;
  static constexpr bool kOneToOne = true;
  S sink;

  void write(PayloadWriter& to) const { write_function(to, sink); }
  static SinkStage read(PayloadReader& from) { return {read_function<S>(from)}; }
  void open(RuntimeContext& context) requires opens_v<S> { sink.open(context); }
  void close() requires closes_v<S> { sink.close(); }
  void flush() requires requires(S& s) { s.flush(); }
  { sink.flush(); }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t timestamp, Next&) {
    if constexpr (requires { sink.write(value, timestamp); }) {
      sink.write(value, timestamp);
    } else {
      sink.write(value);
    }
  }
  template <class Next>
  void end_of_input(Next&&) requires requires(S& s) {
    s.end_of_input();
  }
  { sink.end_of_input(); }
  void commit() requires requires(S& s) { s.commit(); }
  { sink.commit(); }
};

template <class T>
struct DiscardSink {
  void write(const T&) {}
};

// Lines to the standard output; several subtasks say which one they are. Whole lines, never mixed.
class FRESHET_API LinePrinter {
 public:
  void open(RuntimeContext& context);
  std::string& line();
  void end_line();
  void flush();

 private:
  std::string prefix_;
  std::string text_;
};

template <class T>
struct PrintSink {
  LinePrinter printer;
  void open(RuntimeContext& context) { printer.open(context); }
  void write(const T& record) {
    append_text(printer.line(), record);
    printer.end_line();
  }
  void flush() { printer.flush(); }
  void close() { printer.flush(); }
  void write_bound(PayloadWriter&) const {}
  static PrintSink read_bound(PayloadReader&) { return {}; }
};

// One file per subtask in a folder, under a hidden name until the job has come to its end.
class FRESHET_API TextPart {
 public:
  explicit TextPart(std::string folder);
  ~TextPart();
  TextPart(TextPart&&) noexcept;

  const std::string& folder() const { return folder_; }
  // Throws Error that names the file, what the system said, and the mend.
  void open(RuntimeContext& context);
  std::string& line() { return text_; }
  void end_line() {
    text_.push_back('\n');
    if (text_.size() >= kBlock) write_out();
  }
  // All lines are in the file.
  void complete();
  // Gives the file its name.
  void commit();
  void abandon();

 private:
  static constexpr std::size_t kBlock = 64 * 1024;
  void write_out();

  std::string folder_;
  std::string hidden_;
  std::string final_;
  std::string text_;
  int file_ = -1;
};

template <class T>
struct TextFileSink {
  TextPart part;
  void open(RuntimeContext& context) { part.open(context); }
  void write(const T& record) {
    append_text(part.line(), record);
    part.end_line();
  }
  void end_of_input() { part.complete(); }
  void commit() { part.commit(); }
  void close() { part.abandon(); }
  void write_bound(PayloadWriter& to) const { to.value(part.folder()); }
  static TextFileSink read_bound(PayloadReader& from) {
    return {TextPart(from.value<std::string>())};
  }
};

// Rows to whoever asked execute_and_collect() for them.
template <class T>
struct CollectSink {
  static constexpr std::size_t kBlock = 32 * 1024;
  RuntimeContext* context = nullptr;
  std::unique_ptr<ByteWriter> bytes{};

  void open(RuntimeContext& runtime) {
    context = &runtime;
    bytes = std::make_unique<ByteWriter>();
  }
  void write(const T& record) {
    Serde<T>::write(*bytes, record);
    if (bytes->size() >= kBlock) flush();
  }
  void flush() {
    if (bytes->size() == 0) return;
    context->send_result(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
    bytes = std::make_unique<ByteWriter>();
  }
  void close() {}
  void write_bound(PayloadWriter&) const {}
  static CollectSink read_bound(PayloadReader&) { return {}; }
};

}  // namespace detail
}  // namespace freshet
