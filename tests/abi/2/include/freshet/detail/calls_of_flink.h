// Calls that people who know Flink look for and that are not here, or have another name: what the
// compiler says of each is what to write instead. A call that comes to be is taken out here.
#pragma once

#include "freshet/detail/after_mistake.h"

namespace freshet::detail {

template <class...>
inline constexpr bool never_v = false;

// Nothing more is said of what is called on the result.
#define FRESHET_NO_CALL(name_, instead_)                            \
  template <class... Explicit, class... Args>                       \
  static ::freshet::detail::AfterMistake name_(const Args&...) {    \
    static_assert(::freshet::detail::never_v<Explicit..., Args...>, \
                  "freshet: " #name_ "(): " instead_);              \
    return {};                                                      \
  }

#define FRESHET_NO_WINDOWS                                                                       \
  "windows are not in this version: map each record to the begin of its window (time - time % "  \
  "size), key_by() that together with the key, and count(), sum(), min(), max() or reduce(): a " \
  "value per key and window"
#define FRESHET_NO_JOINS                                                                       \
  "joins are not in this version: map both streams to one record type (a std::variant of the " \
  "two), union_with(), key_by() what they are joined by, then reduce(), or "                   \
  "through_registered() an operator that keeps state"
#define FRESHET_AFTER_AN_AGGREGATE \
  "aggregate first (count, sum, min, max, reduce), or do it before key_by"

#define FRESHET_NO_WINDOW_OR_JOIN                                                            \
  FRESHET_NO_CALL(window, FRESHET_NO_WINDOWS)                                                \
  FRESHET_NO_CALL(window_all, FRESHET_NO_WINDOWS)                                            \
  FRESHET_NO_CALL(time_window, FRESHET_NO_WINDOWS)                                           \
  FRESHET_NO_CALL(time_window_all, FRESHET_NO_WINDOWS)                                       \
  FRESHET_NO_CALL(count_window, FRESHET_NO_WINDOWS)                                          \
  FRESHET_NO_CALL(count_window_all, FRESHET_NO_WINDOWS)                                      \
  FRESHET_NO_CALL(connect,                                                                   \
                  "streams of two types are joined by union_with(): map both to one record " \
                  "type (a std::variant of the two), and process() tells them apart")        \
  FRESHET_NO_CALL(join, FRESHET_NO_JOINS)                                                    \
  FRESHET_NO_CALL(co_group, FRESHET_NO_JOINS)                                                \
  FRESHET_NO_CALL(interval_join, FRESHET_NO_JOINS)

#define FRESHET_NO_AGGREGATE_OF_FLINK                                                           \
  FRESHET_NO_CALL(aggregate,                                                                    \
                  "map each record to its accumulator, key_by(), reduce() two accumulators to " \
                  "one, and map the result")                                                    \
  FRESHET_NO_CALL(fold, "map each record to what is folded, key_by(), then reduce()")           \
  FRESHET_NO_CALL(max_by, "key_by(), then reduce() to the record of the two that is greater")   \
  FRESHET_NO_CALL(min_by, "key_by(), then reduce() to the record of the two that is less")

class StreamCallsOfFlink {
 public:
  FRESHET_NO_WINDOW_OR_JOIN
  FRESHET_NO_AGGREGATE_OF_FLINK
#define FRESHET_BY_KEY                                                                          \
  "aggregates are by key: key_by(f) first; over all records key_by([](const Record&) { return " \
  "0; })"
  FRESHET_NO_CALL(count, FRESHET_BY_KEY)
  FRESHET_NO_CALL(sum, FRESHET_BY_KEY)
  FRESHET_NO_CALL(min, FRESHET_BY_KEY)
  FRESHET_NO_CALL(max, FRESHET_BY_KEY)
  FRESHET_NO_CALL(reduce, FRESHET_BY_KEY)
#undef FRESHET_BY_KEY
  FRESHET_NO_CALL(distinct, "key_by() the record, then reduce() to the first of two")
  FRESHET_NO_CALL(assign_timestamps_and_watermarks,
                  "write assign_timestamps(f, out_of_orderness_ms), f(record) in ms since the "
                  "epoch")
  FRESHET_NO_CALL(partition_custom,
                  "key_by(f) sends records with equal f(record) to one subtask; rebalance(), "
                  "rescale(), shuffle(), broadcast() and global() are the other ways")
  FRESHET_NO_CALL(iterate, "a job has no loops: run another job on what the first one wrote")
  FRESHET_NO_CALL(split, "process() with an OutputTag for each part, then side_output(tag)")
  FRESHET_NO_CALL(get_side_output, "write side_output(tag), on what process() returned")
  FRESHET_NO_CALL(side_output, "side outputs are of what process() returns: keep that, with auto")
  FRESHET_NO_CALL(project, "map to a record of the fields that are wanted")
  FRESHET_NO_CALL(returns, "the compiler knows the types: leave it out")
  FRESHET_NO_CALL(add_sink, "write sink_to(s)")
  FRESHET_NO_CALL(for_each, "write sink_to(s), a class with write(const Record&)")
  FRESHET_NO_CALL(collect, "write execute_and_collect(), which runs the job")
  FRESHET_NO_CALL(write_as_text, "write write_text(folder)")
  FRESHET_NO_CALL(write_as_csv, "map each record to its line, then write_text(folder)")
  FRESHET_NO_CALL(print_to_err,
                  "print() writes to the standard output; to write elsewhere, sink_to(s) a class "
                  "with write(const Record&)")
  FRESHET_NO_CALL(union_all, "write union_with(others)")
  FRESHET_NO_CALL(set_description, "write name(text)")
  FRESHET_NO_CALL(slot_sharing_group, "this version has no slot sharing groups: leave it out")
  FRESHET_NO_CALL(set_buffer_timeout, "set the option execution.buffer-timeout, for the whole job")
  FRESHET_NO_CALL(force_non_parallel, "write set_parallelism(1)")
};

class KeyedCallsOfFlink {
 public:
  FRESHET_NO_WINDOW_OR_JOIN
  FRESHET_NO_AGGREGATE_OF_FLINK
  FRESHET_NO_CALL(process,
                  "state and timers by key are not in this version: count(), sum(), min(), max() "
                  "and reduce() keep a value for each key, through_registered<Result>(name) an "
                  "operator of a library that has both; without state, process() before key_by")
#define FRESHET_ON_A_KEYED_STREAM(name_) \
  FRESHET_NO_CALL(name_, "on a keyed stream: " FRESHET_AFTER_AN_AGGREGATE)
  FRESHET_ON_A_KEYED_STREAM(map)
  FRESHET_ON_A_KEYED_STREAM(filter)
  FRESHET_ON_A_KEYED_STREAM(flat_map)
  FRESHET_ON_A_KEYED_STREAM(assign_timestamps)
  FRESHET_ON_A_KEYED_STREAM(assign_timestamps_and_watermarks)
  FRESHET_ON_A_KEYED_STREAM(union_with)
  FRESHET_ON_A_KEYED_STREAM(print)
  FRESHET_ON_A_KEYED_STREAM(write_text)
  FRESHET_ON_A_KEYED_STREAM(discard)
  FRESHET_ON_A_KEYED_STREAM(sink_to)
  FRESHET_ON_A_KEYED_STREAM(add_sink)
  FRESHET_ON_A_KEYED_STREAM(sink_to_registered)
  FRESHET_ON_A_KEYED_STREAM(execute_and_collect)
#undef FRESHET_ON_A_KEYED_STREAM
#define FRESHET_PARTITIONED_BY_KEY(name_)                                                      \
  FRESHET_NO_CALL(name_,                                                                       \
                  "on a keyed stream, whose records go to the subtasks by their key: call it " \
                  "instead of key_by, or behind an aggregate")
  FRESHET_PARTITIONED_BY_KEY(key_by)
  FRESHET_PARTITIONED_BY_KEY(forward)
  FRESHET_PARTITIONED_BY_KEY(rebalance)
  FRESHET_PARTITIONED_BY_KEY(rescale)
  FRESHET_PARTITIONED_BY_KEY(shuffle)
  FRESHET_PARTITIONED_BY_KEY(broadcast)
  FRESHET_PARTITIONED_BY_KEY(global)
#undef FRESHET_PARTITIONED_BY_KEY
  FRESHET_NO_CALL(name,
                  "a keyed stream is no operator yet and has no name: give the name to the "
                  "aggregate behind key_by")
  FRESHET_NO_CALL(uid,
                  "a keyed stream is no operator yet and has no uid: give the uid to the "
                  "aggregate behind key_by")
  FRESHET_NO_CALL(set_parallelism,
                  "a keyed stream is no operator yet and has no parallelism: set it on the "
                  "aggregate behind key_by")
  FRESHET_NO_CALL(set_max_parallelism,
                  "a keyed stream is no operator yet and has no parallelism: set it on the "
                  "aggregate behind key_by")
};

class EnvironmentCallsOfFlink {
 public:
  FRESHET_NO_CALL(add_source, "write from_source(s); see freshet/source.h")
  FRESHET_NO_CALL(create_input, "write from_source(s); see freshet/source.h")
  FRESHET_NO_CALL(from_data, "write from_elements({...}) or from_collection(vector)")
  FRESHET_NO_CALL(from_parallel_collection, "write generate(f, count), or from_sequence()")
  FRESHET_NO_CALL(generate_sequence, "write from_sequence(first, last)")
  FRESHET_NO_CALL(read_text_file, "write read_text(path)")
  FRESHET_NO_CALL(read_file, "write read_text(path), or from_source(s) for what is no text")
  FRESHET_NO_CALL(socket_text_stream,
                  "no source reads sockets: read_standard_input() takes what another program "
                  "(nc HOST PORT) writes, from_source(s) a source of your own")
#define FRESHET_NO_CHECKPOINTS                                                                  \
  "checkpoints and savepoints are not in this version: after a failure a job begins again, if " \
  "the option restart-strategy.type says so"
  FRESHET_NO_CALL(enable_checkpointing, FRESHET_NO_CHECKPOINTS)
  FRESHET_NO_CALL(get_checkpoint_config, FRESHET_NO_CHECKPOINTS)
  FRESHET_NO_CALL(set_state_backend, FRESHET_NO_CHECKPOINTS)
#undef FRESHET_NO_CHECKPOINTS
  FRESHET_NO_CALL(set_restart_strategy,
                  "set the option restart-strategy.type, by configuration().set()")
  FRESHET_NO_CALL(set_runtime_mode,
                  "write configuration().set(options::kExecutionRuntimeMode, RuntimeMode::kBatch)")
  FRESHET_NO_CALL(set_buffer_timeout, "set the option execution.buffer-timeout")
  FRESHET_NO_CALL(set_stream_time_characteristic,
                  "event time begins with assign_timestamps() on a stream: leave it out")
  FRESHET_NO_CALL(get_config, "write configuration()")
  FRESHET_NO_CALL(register_job_listener, "write add_job_listener(listener)")
  FRESHET_NO_CALL(register_cached_file, "give the file with --ship; it stands beside the module")
  FRESHET_NO_CALL(get_execution_plan, "run fr info APPLICATION")
#define FRESHET_TARGET_DECIDES                                                                  \
  "write get_execution_environment(): --target, or the option execution.target, says where it " \
  "runs"
  FRESHET_NO_CALL(create_local_environment, FRESHET_TARGET_DECIDES)
  FRESHET_NO_CALL(create_remote_environment, FRESHET_TARGET_DECIDES)
#undef FRESHET_TARGET_DECIDES
};

#undef FRESHET_NO_WINDOWS
#undef FRESHET_NO_JOINS
#undef FRESHET_AFTER_AN_AGGREGATE
#undef FRESHET_NO_WINDOW_OR_JOIN
#undef FRESHET_NO_AGGREGATE_OF_FLINK

}  // namespace freshet::detail
