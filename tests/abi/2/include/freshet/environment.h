// Where a program begins: sources, settings, execute().
//
//   auto env = StreamExecutionEnvironment::get_execution_environment();
//   env.read_text("/usr/share/common-licenses")
//       .filter([](std::string_view line) { return !line.empty(); })
//       .print();
//   env.execute("lines");
//
// Threads    One thread at a time per environment; environments are independent.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/data_stream.h"
#include "freshet/job_client.h"
#include "freshet/sources.h"
#include "freshet/text_files.h"

namespace freshet {

class FRESHET_API StreamExecutionEnvironment : public detail::EnvironmentCallsOfFlink {
 public:
  // With what files, environment and command line say, or that and `configuration` above it.
  static StreamExecutionEnvironment get_execution_environment();
  static StreamExecutionEnvironment get_execution_environment(const Configuration& configuration);

  // What main sets here stands above all other sources.
  Configuration& configuration() { return state_->configuration; }
  const Configuration& configuration() const { return state_->configuration; }
  // The default for operators that set none. Throws InvalidInput below 1.
  StreamExecutionEnvironment& set_parallelism(int parallelism);
  StreamExecutionEnvironment& set_max_parallelism(int max_parallelism);
  StreamExecutionEnvironment& disable_operator_chaining();
  void add_job_listener(std::shared_ptr<JobListener> listener);

  // Templates, so that a program holds the sources that it uses and no others.
  // ---- sources ---------------------------------------------------------------------------

  // A source of one's own: see freshet/source.h.
  template <class S>
  auto from_source(S source, const char* name = "source") {
    static_assert(detail::require_travels<S>());
    static_assert(SourceFunction<S>,
                  "freshet: from_source(s): s is no source: it needs Record, Split, bounded(), "
                  "enumerator(parallelism) and reader(context); see freshet/source.h");
    if constexpr (SourceFunction<S> && detail::travels_v<S>) {
      using Stage = detail::SourceStage<S>;
      static_assert(detail::require_records<typename S::Record, typename S::Split>());
      if constexpr (detail::are_records_v<typename S::Record, typename S::Split>) {
        const bool bounded = source.bounded();
        StreamVertex vertex = detail::make_vertex(name, Stage{std::move(source)});
        vertex.source = true;
        vertex.bounded = bounded;
        detail::Upstream up{state_, state_->generation, state_->graph->add(std::move(vertex))};
        const std::uint32_t place = up.vertex;
        return DataStream<typename Stage::Out, Stage>(std::move(up), {{place}});
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }

  // A list that travels in the plan, read by one subtask in order.
  template <class T>
  auto from_collection(std::vector<T> records) {
    static_assert(detail::require_records<T>());
    if constexpr (detail::are_records_v<T>) {
      auto stream = from_source(detail::ElementsSource<T>{std::move(records)}, "elements");
      stream.upstream_of().at().fixed_parallelism = 1;
      return stream;
    } else {
      return detail::AfterMistake();
    }
  }
  template <class T>
  auto from_elements(std::initializer_list<T> records) {
    using Record = std::conditional_t<std::is_same_v<T, const char*>, std::string, T>;
    return from_collection(std::vector<Record>(records.begin(), records.end()));
  }
  // first, first + 1, ..., last. Throws InvalidInput for all 2^64 numbers, which can't be counted.
  template <class Source = detail::SequenceSource>
  auto from_sequence(std::int64_t first, std::int64_t last) {
    detail::check_sequence(first, last);
    return from_source(Source{first, last}, "sequence");
  }
  // f(i) for i = 0, 1, ..., count - 1, `rate` a second over all subtasks (0: as fast as can be).
  // The same i gives the same record, whatever the parallelism, unless f keeps state: each subtask
  // has a copy of it. Throws InvalidInput if the rate is negative, infinite, or no number.
  template <class F, class... Bound>
  auto generate(F function, std::uint64_t count, double rate = 0, Bound... bound) {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Callable<F, std::uint64_t, const Bound&...>;
    static_assert(kCallable,
                  "freshet: generate(f): f takes a std::uint64_t (then the bound values) and "
                  "returns the record");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      detail::check_rate(rate);
      return from_source(
          detail::GeneratorSource<detail::BindResult<F, Bound...>>{
              detail::bind(std::move(function), std::move(bound)...), count, rate},
          "generator");
    } else {
      return detail::AfterMistake();
    }
  }
  // Without end.
  template <class F, class... Bound>
  auto generate_forever(F function, double rate = 0, Bound... bound) {
    return generate(std::move(function), UINT64_MAX, rate, std::move(bound)...);
  }
  // Lines of a file, of the files in a folder, or of those that a pattern matches: no folders in
  // it, no names that begin with . or _. Large files are split among the subtasks. A relative path
  // begins at the working folder of main, wherever the tasks run.
  template <class Source = detail::TextFileSource>
  auto read_text(std::string path) {
    const detail::SplitSizes sizes = detail::split_sizes_of(state_->configuration);
    return from_source(Source{detail::absolute_pattern(path), sizes.largest, sizes.smallest},
                       "read_text");
  }
  // Lines of the standard input, as they come; unbounded. Of main's process: with the target local
  // only, since the workers of a cluster have none.
  template <class Source = detail::StandardInputSource>
  auto read_standard_input() {
    auto stream = from_source(Source{}, detail::kStandardInput);
    stream.upstream_of().at().fixed_parallelism = 1;
    return stream;
  }
  // A source that a connector or an operator library has registered under that name, see
  // connector.h. Its records are T; the payload is for the operator's make(). The plugin is found
  // when the job is translated; that its records are T is checked when the first come.
  template <class T>
  DataStream<T> from_registered(std::string operator_name, std::string payload = {},
                                bool bounded = true) {
    static_assert(detail::require_records<T>());
    StreamVertex vertex = detail::registered_vertex(std::move(operator_name), std::move(payload));
    if constexpr (detail::are_records_v<T>) vertex.outputs.push_back(&record_type<T>());
    vertex.source = true;
    vertex.bounded = bounded;
    detail::Upstream up{state_, state_->generation, state_->graph->add(std::move(vertex))};
    return DataStream<T>(std::move(up), {});
  }

  // ---- running ---------------------------------------------------------------------------

  // Runs what has been built since the last call and waits. Throws JobFailed, JobCanceled, or
  // InvalidInput if the job can't be.
  JobResult execute(std::string job_name = {});
  // Submits and returns a handle to the running job.
  std::unique_ptr<JobClient> execute_async(std::string job_name = {});

 private:
  template <class, class...>
  friend class StreamOperations;
  explicit StreamExecutionEnvironment(std::shared_ptr<detail::EnvironmentState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<detail::EnvironmentState> state_;
};

// The records of execute_and_collect(), in the order in which they arrive. Reading slowly holds the
// job back. Destroying it early cancels the job.
//
//   for (const auto& record : stream.execute_and_collect()) ...
template <class T>
class CollectedRecords {
 public:
  CollectedRecords(std::unique_ptr<JobClient> client, std::string vertex)
      : client_(std::move(client)), vertex_(std::move(vertex)) {}
  CollectedRecords(CollectedRecords&&) noexcept = default;
  CollectedRecords& operator=(CollectedRecords&&) noexcept = default;
  ~CollectedRecords() {
    if (client_ && !ended_) detail::cancel_and_wait(*client_);
  }

  // The next record, or nothing at the end. Throws as execute() does.
  std::optional<T> next() {
    while (!reader_ || reader_->remaining() == 0) {
      if (ended_) return std::nullopt;
      std::optional<std::string> rows = client_->next_result(vertex_).get();
      if (!rows) {
        ended_ = true;
        detail::result_or_throw(*client_);
        return std::nullopt;
      }
      rows_ = std::make_unique<std::string>(std::move(*rows));
      reader_.emplace(rows_->data(), rows_->data() + rows_->size());
    }
    return Serde<T>::read(*reader_);
  }
  std::vector<T> to_vector() {
    std::vector<T> all;
    while (auto record = next()) all.push_back(std::move(*record));
    return all;
  }
  JobClient& client() { return *client_; }

  class Iterator {
   public:
    explicit Iterator(CollectedRecords* records) : records_(records) { ++*this; }
    const T& operator*() const { return *record_; }
    Iterator& operator++() {
      record_ = records_->next();
      return *this;
    }
    bool operator!=(const std::nullptr_t&) const { return record_.has_value(); }

   private:
    CollectedRecords* records_;
    std::optional<T> record_;
  };
  Iterator begin() { return Iterator(this); }
  std::nullptr_t end() { return nullptr; }

 private:
  std::unique_ptr<JobClient> client_;
  std::string vertex_;
  std::unique_ptr<std::string> rows_;
  std::optional<ByteReader> reader_;
  bool ended_ = false;
};

template <class T, class... Stages>
CollectedRecords<Owned<T>> StreamOperations<T, Stages...>::execute_and_collect(
    std::string job_name) const {
  const std::string vertex = "collect-" + std::to_string(up_.environment->collects++);
  sink_to(detail::CollectSink<T>{}, "collect").uid(vertex).set_parallelism(1);
  StreamExecutionEnvironment environment(up_.environment);
  return CollectedRecords<Owned<T>>(environment.execute_async(std::move(job_name)), vertex);
}

}  // namespace freshet
