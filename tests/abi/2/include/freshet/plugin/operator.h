// The contract between the runtime and an operator: a fused kernel, a single stage, or a third
// party's own.
//
// Threads    All calls on one operator come from one fiber, never two at once. A call may suspend
//            the fiber (a full output) and must not block its thread: see freshet/await.h.
// Order      open, [restore], then process / watermark / timer / run / snapshot in any order, then
//            end_of_input once per input (or once for a source), prepare_commit, commit, then
//            close. After a failure or a cancel only close follows, and abort_prepared before it if
//            something was prepared. commit_prepared comes to an operator of its own, which nobody
//            opens.
// Inputs     Numbered from 0; several edges may lead to one input, and one producer to several.
// Errors     An exception ends the job, with the operator's name, subtask and record number.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "freshet/error.h"
#include "freshet/plugin/batch.h"

namespace freshet {

class Configuration;
class ByteReader;
class ByteWriter;
class OperatorServices;
class RuntimeContext;
struct RecordType;
template <class T>
class Future;

// Counters of one vertex in one subtask. The task writes, anybody reads.
struct StageMetrics {
  std::atomic<std::uint64_t> records_in{0};
  std::atomic<std::uint64_t> records_out{0};
  void add(std::uint64_t in, std::uint64_t out) {
    records_in.store(records_in.load(std::memory_order_relaxed) + in, std::memory_order_relaxed);
    records_out.store(records_out.load(std::memory_order_relaxed) + out, std::memory_order_relaxed);
  }
};

// Where an operator's records go: a chained operator, channels to other tasks, or several of these.
class FRESHET_API Output {
 public:
  virtual ~Output();
  // The batch to write into: empty at first, afterwards as send() left it.
  virtual Batch& open(const RecordType& type) = 0;
  // Takes what `batch` (the one from open() or send()) holds and returns the batch to go on with.
  // With full == false the runtime may leave the rows where they are until there are more of them
  // or the input runs dry. May suspend; throws Canceled when the job is being canceled.
  virtual Batch& send(Batch& batch, bool full) = 0;
  // For a batch that the operator owns, such as one that borrows its rows: hands its rows on; they
  // may be released after the call.
  virtual void deliver(Batch& batch) = 0;
  // Rows sent before stay before it.
  virtual void watermark(std::int64_t timestamp) = 0;
};

class FRESHET_API OperatorContext {
 public:
  virtual ~OperatorContext();
  // Output 0 is the main one, 1.. are side outputs: a tag is such a number.
  virtual Output& output(std::uint32_t index) = 0;
  virtual std::uint32_t outputs() const = 0;
  // One per vertex that the operator stands for, in the order of the chain.
  virtual RuntimeContext& stage(std::uint32_t index) = 0;
  virtual StageMetrics& metrics(std::uint32_t index) = 0;
  // Timers, holds, bundles, keyed state by bytes, a mailbox for other threads: see
  // freshet/plugin/operator_services.h. Made at the first call.
  virtual OperatorServices& services() = 0;
};

enum class TimeDomain : std::uint8_t { kEvent, kProcessing };

// A timer that fires; the texts last as long as the call.
struct Timer {
  TimeDomain domain;
  std::int64_t timestamp;  // what it was set to, ms since the epoch
  std::string_view family;
  std::string_view tag;
  std::string_view key;
};

struct Progress {
  enum class Kind : std::uint8_t {
    kMore,     // call run() again as soon as the mailbox has been looked at
    kWaiting,  // nothing until `at` (ns of the monotonic clock), or a mail or a timer comes
    kEnd,      // bounded, and read to its end
  };
  Kind kind;
  std::int64_t at = INT64_MAX;
};

class FRESHET_API Operator {
 public:
  virtual ~Operator();
  virtual void open(OperatorContext& context);
  // A source: emits up to about `records` records, stopping where every stage is consistent.
  virtual Progress run(std::uint32_t records);
  // The rows stay the runtime's: gone after the call, and not to be changed unless the batch is
  // exclusive().
  virtual void process(std::uint32_t input, Batch& batch) = 0;
  // The combined watermark of all inputs: nothing at or before this time is still to come. The
  // operator passes it on to its outputs.
  virtual void watermark(std::int64_t timestamp) = 0;
  // One that was set through OperatorServices.
  virtual void timer(const Timer& timer);
  // Nothing is left to read for now: held-back records should go on.
  virtual void input_ran_dry();
  // Snapshots come with a later version of the runtime, which calls the next four; until then it
  // calls none of them.
  //
  // Before the barrier is passed on: what must not be under way in a snapshot is brought to its end
  // and emitted.
  virtual void before_snapshot(std::uint64_t id);
  virtual void snapshot(std::uint32_t stage, ByteWriter& state);
  // The snapshot is complete in the whole job and will be what a restart begins with, or a later
  // one: what waited for it may become visible. Comes after further batches, and not for every one.
  virtual void after_snapshot(std::uint64_t id);
  virtual void restore(std::uint32_t stage, ByteReader& state);
  // That input has ended, and with it event time, if it was the last: what is still held back goes
  // on now. The runtime tells the operators behind.
  virtual void end_of_input(std::uint32_t input) = 0;
  // After end_of_input: what that stage has ready to become visible once every subtask of the job
  // has come to its end, as bytes that commit_prepared() understands (a name, an id of a
  // transaction; at most 1 MiB); nothing if it has nothing. What is prepared outlives this process.
  virtual std::optional<std::string> prepare_commit(std::uint32_t stage);
  // Makes visible what prepare_commit() of that stage gave in some subtask, and says what that is,
  // for people ("/out/part-0"). The operator is made from the vertex's payload and never opened, in
  // this or any other worker, also after the job manager was lost. May come again for what is
  // visible already, which is no error. An exception is tried again until execution.commit-timeout,
  // CommitRefused is not.
  virtual std::string commit_prepared(std::uint32_t stage, std::string_view committable);
  // The job has failed or was canceled before anything was committed: what was prepared is removed.
  // Comes to the operator that has prepared it, unless its process is gone.
  virtual void abort_prepared(std::uint32_t stage, std::string_view committable);
  // The simple way, without prepare_commit: every subtask of the job has come to its end, and what
  // was written becomes visible. After end_of_input, before close; not called if the job fails or
  // is canceled before that. Called once: if it throws, or its process is lost meanwhile, the job
  // has failed, and what other subtasks have committed stays visible.
  virtual void commit();
  // Whether commit() does something: if so, the job is not run again once it may have been called.
  virtual bool commits() const;
  virtual void close();
  // The rows that process() takes from that input; asked after open(). Rows that come from another
  // process are read as these. nullptr: as byte records (freshet/plugin/byte_records.h), if that is what
  // the edge carries; nothing else can come from another process then.
  virtual const RecordType* input_type(std::uint32_t input) const;
};

// The part of a source or sink that exists once per job: hands out splits, commits. Runs with
// parallelism 1 in a worker; calls come one at a time.
class FRESHET_API Coordinator {
 public:
  virtual ~Coordinator();
  virtual void open(std::uint32_t parallelism) = 0;
  // The next split for that subtask, serialised; nothing when there is none left.
  virtual std::optional<std::string> next_split(std::uint32_t subtask) = 0;
  virtual void snapshot(ByteWriter& state);
  virtual void restore(ByteReader& state);
};

// Why a job failed: which operator, where, at which record, and what it said.
struct FailureInfo {
  std::string operator_name;
  std::uint32_t subtask = 0;
  std::uint64_t record = 0;  // counted from 1 in that subtask; 0: not while a record was processed
  std::string message;
};

namespace detail {

// A user function's exception, told apart by the stage of the kernel that called it.
struct FRESHET_API StageFailure {
  std::uint32_t stage;
  std::uint64_t record;
  std::string message;
};

// In a catch (...) block: passes Canceled and StageFailure on, wraps everything else.
[[noreturn]] FRESHET_API void rethrow_as_stage_failure(std::uint32_t stage, std::uint64_t record);
// Throws DecodeError unless an operator of `expected` stages got as many payloads.
FRESHET_API void check_payload_count(std::size_t expected, std::size_t got);
// In a catch (...) block: what the current exception says.
FRESHET_API std::string current_exception_message();

}  // namespace detail
}  // namespace freshet
