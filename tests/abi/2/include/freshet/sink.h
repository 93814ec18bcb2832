// The stage of a sink, the sinks that come with the SDK, and the interface of sinks of one's own.
//
// A sink is a class that travels (see payload.h) with
//   void write(const Record&);  or  void write(const Record&, std::int64_t timestamp);
// and, where it needs them,
//   void open(RuntimeContext&);   before the first record
//   void flush();                 after each batch: what was written should be on its way
//   void end_of_input();          everything of this subtask has been written
//   void close();                 always, also after a failure: end_of_input() has not been called
//                                 then
//
// A sink whose output becomes visible when the job has come to its end is a writer and a committer:
//   C prepare_commit();           after end_of_input(): what commit() needs to know, a std::string
//                                 or any type with a Serde, or a std::optional of one where a
//                                 subtask may have nothing. At most 1 MiB: a name, not the data.
//                                 What it names outlives this process.
//   void commit(const C&);        makes it visible, once every subtask of the job has prepared. Is
//                                 called on an object that was never opened, in any worker, and may
//                                 come again for what is visible already. May return a std::string:
//                                 what is visible now, for people.
//   void abort(const C&);         optional: the job ends without a commit; removes what was
//                                 prepared
// The committables are kept, so that neither the loss of a worker nor (under high availability)
// that of the job manager ends a commit half-way. What commit() throws is tried again until
// execution.commit-timeout, except CommitRefused.
//
// The simple way is a commit() without an argument, called once in the writer itself when every
// subtask has come to its end:
//   void commit();                what was held back becomes visible
// If it throws, or its worker is lost meanwhile, the job has failed, and what other subtasks have
// committed stays visible. Sinks of files: freshet/prepared_file.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "freshet/detail/stage_traits.h"
#include "freshet/functions.h"
#include "freshet/prepared_file.h"
#include "freshet/serde.h"
#include "freshet/text.h"

namespace freshet {

template <class S, class T>
concept SinkFunction = requires(S& sink, const T& record) {
  sink.write(record);
}
|| requires(S& sink, const T& record) { sink.write(record, std::int64_t{}); };

namespace detail {

template <class S>
inline constexpr bool prepares_commit_v = requires(S& s) {
  s.prepare_commit();
};

template <class C>
struct Prepared {
  using Committable = C;
};
template <class C>
struct Prepared<std::optional<C>> {
  using Committable = C;
};
template <class S>
using CommittableOf = typename Prepared<
    std::remove_cvref_t<decltype(std::declval<S&>().prepare_commit())>>::Committable;

template <class C>
std::optional<std::string> committable_bytes(const C& committable) {
  ByteWriter bytes;
  Serde<C>::write(bytes, committable);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}
template <class C>
std::optional<std::string> committable_bytes(const std::optional<C>& committable) {
  if (!committable) return std::nullopt;
  return committable_bytes<C>(*committable);
}
// Throws DecodeError.
template <class C>
C committable_from(std::string_view bytes) {
  ByteReader reader(bytes);
  return Serde<C>::read(reader);
}

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
  void commit() requires has_commit_v<S> { sink.commit(); }
  std::optional<std::string> prepare_commit() requires prepares_commit_v<S> {
    static_assert(
        requires(S & s, const CommittableOf<S>& c) { s.commit(c); },
        "a sink with prepare_commit() needs commit(const C&) for what that returns");
    return committable_bytes(sink.prepare_commit());
  }
  std::string commit_prepared(std::string_view bytes) requires prepares_commit_v<S> {
    const auto committable = committable_from<CommittableOf<S>>(bytes);
    if constexpr (std::is_void_v<decltype(sink.commit(committable))>) {
      sink.commit(committable);
      return {};
    } else {
      return sink.commit(committable);
    }
  }
  void abort_prepared([[maybe_unused]] std::string_view bytes) requires prepares_commit_v<S> {
    if constexpr (requires(S & s, const CommittableOf<S>& c) { s.abort(c); }) {
      sink.abort(committable_from<CommittableOf<S>>(bytes));
    }
  }
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

// One file per subtask in a folder, under a hidden name until the job has come to its end:
//   .part-N.inprogress-<job>-<sink>-<random>   locked as long as its process lives; else anybody's
//                                              to remove
//   .part-N.prepared-<job>-<sink>-<random>     complete, to be committed; no other job's to remove
//   part-N                                     committed: it never replaces what is there
// The hidden names are the job's claim to the folder: another job that opens a part there is
// refused.
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
  // After complete(): from here on the file stays until it is committed or aborted.
  PreparedFile prepare();
  // Removes it unless it is prepared. May repeat.
  void abandon();

 private:
  static constexpr std::size_t kBlock = 64 * 1024;
  void write_out();
  void check_claim(const std::string& job, const std::string& sink,
                   const std::string& operator_name);

  std::string folder_;
  std::string hidden_;  // while it is in progress
  std::string part_;    // "part-7"
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
  PreparedFile prepare_commit() { return part.prepare(); }
  std::string commit(const PreparedFile& file) { return file.commit(); }
  void abort(const PreparedFile& file) { file.remove(); }
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
