// The stage of a source, and the interface of sources of one's own.
//
// A source is a class that travels (see payload.h) with
//   using Record = ...;                    may be a view into what the reader holds
//   using Split = ...;                     has a Serde; says what one reader reads
//   bool bounded() const;
//   Enumerator enumerator(std::uint32_t parallelism) const;
//       has std::optional<Split> next(std::uint32_t subtask); exists once per job
//   Reader reader(RuntimeContext&) const;  one per subtask, has
//       void start(Split split);
//       template <class Out> ReadStatus read(Out& out, std::uint32_t records);
//           calls out(record) or out(record, timestamp) up to about `records` times and returns;
//           a view given to out must stay valid until out returns
//       and, where it needs them,
//       void open(RuntimeContext&);  void close();
//       std::uint64_t emitted() const;     calls of out so far, the one that threw too
// FixedSplits is an enumerator for a list that is known beforehand, SplitPerSubtask one for splits
// that belong to the subtasks.
//
// Threads    enumerator: one call at a time, in a worker. Reader: the task's fiber; what would
//            block its thread goes through await().
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freshet/functions.h"

namespace freshet {

struct ReadStatus {
  enum class Kind : std::uint8_t { kMore, kSplitDone, kWaiting };
  Kind kind;
  std::int64_t at = INT64_MAX;  // kWaiting: until then, ns of the monotonic clock

  static ReadStatus more() { return {Kind::kMore}; }
  static ReadStatus split_done() { return {Kind::kSplitDone}; }
  static ReadStatus waiting_until(std::int64_t ns) { return {Kind::kWaiting, ns}; }
};

template <class Split>
class FixedSplits {
 public:
  explicit FixedSplits(std::vector<Split> splits) : splits_(std::move(splits)) {}
  std::optional<Split> next(std::uint32_t) {
    if (at_ == splits_.size()) return std::nullopt;
    return std::move(splits_[at_++]);
  }

 private:
  std::vector<Split> splits_;
  std::size_t at_ = 0;
};

// One split for each subtask, and nobody else's.
template <class Split>
class SplitPerSubtask {
 public:
  explicit SplitPerSubtask(std::vector<Split> splits) : splits_(splits.begin(), splits.end()) {}
  std::optional<Split> next(std::uint32_t subtask) {
    return std::exchange(splits_.at(subtask), std::nullopt);
  }

 private:
  std::vector<std::optional<Split>> splits_;
};

template <class S>
concept SourceFunction = requires(const S& source, RuntimeContext& context) {
  typename S::Record;
  typename S::Split;
  { source.bounded() } -> std::same_as<bool>;
  source.enumerator(std::uint32_t{1});
  source.reader(context);
};

namespace detail {

template <class S>
class FRESHET_HIDDEN SplitCoordinator final : public Coordinator {
 public:
  explicit SplitCoordinator(S source) : source_(std::move(source)) {}
  void open(std::uint32_t parallelism) override {
    enumerator_ = std::make_unique<Enumerator>(source_.enumerator(parallelism));
  }
  std::optional<std::string> next_split(std::uint32_t subtask) override {
    auto split = enumerator_->next(subtask);
    if (!split) return std::nullopt;
    ByteWriter bytes;
    Serde<typename S::Split>::write(bytes, *split);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  using Enumerator = decltype(std::declval<const S&>().enumerator(std::uint32_t{1}));
  S source_;
  std::unique_ptr<Enumerator> enumerator_;
};

template <class Next>
struct SourceOutput {
  Next& next;
  template <class V>
  FRESHET_INLINE void operator()(V&& record, std::int64_t timestamp = kNoTimestamp) {
    next(static_cast<V&&>(record), timestamp);
  }
};

// A source may assign timestamps and give watermarks by out(record, timestamp) and
// `std::int64_t watermark()` of its reader.
template <class S>
struct FRESHET_HIDDEN SourceStage {
  using In = void;
  using Out = typename S::Record;
  using Reader = decltype(std::declval<const S&>().reader(std::declval<RuntimeContext&>()));
  static constexpr bool kOneToOne = false;
  static constexpr bool kAssignsTimestamps = requires { requires S::kTimestamps; };
  static constexpr bool kCountsEmitted = requires(const Reader& r) { r.emitted(); };
  S source;
  RuntimeContext* context = nullptr;
  std::unique_ptr<Reader> reader{};
  bool reading = false;

  void write(PayloadWriter& to) const { write_function(to, source); }
  static SourceStage read(PayloadReader& from) { return {read_function<S>(from)}; }
  static std::unique_ptr<Coordinator> make_coordinator(PayloadReader& payload) {
    return std::make_unique<SplitCoordinator<S>>(read_function<S>(payload));
  }
  void open(RuntimeContext& runtime) {
    context = &runtime;
    reader = std::make_unique<Reader>(source.reader(runtime));
    if constexpr (opens_v<Reader>) reader->open(runtime);
  }
  void close() {
    const std::unique_ptr<Reader> last = std::move(reader);
    if constexpr (closes_v<Reader>) {
      if (last) last->close();
    }
  }

  template <class Next>
  FRESHET_INLINE Progress run(std::uint32_t records, Next& next) {
    if (!reading && !start_next_split()) return {Progress::Kind::kEnd};
    SourceOutput<Next> out{next};
    const ReadStatus status = reader->read(out, records);
    if (status.kind == ReadStatus::Kind::kWaiting) return {Progress::Kind::kWaiting, status.at};
    if (status.kind == ReadStatus::Kind::kSplitDone) reading = false;
    return {Progress::Kind::kMore};
  }
  // False if there is none left.
  bool start_next_split() {
    try {
      const std::optional<std::string> split = context->next_split();
      if (!split) return false;
      ByteReader bytes(split->data(), split->data() + split->size());
      reader->start(Serde<typename S::Split>::read(bytes));
      return reading = true;
    } catch (...) {
      rethrow_as_stage_failure(0, 0);  // at no record
    }
  }
  std::uint64_t emitted() const requires kCountsEmitted { return reader ? reader->emitted() : 0; }
  std::int64_t take_watermark() requires requires(Reader& r) { r.watermark(); }
  { return reader ? reader->watermark() : kNoTimestamp; }
};

}  // namespace detail
}  // namespace freshet
