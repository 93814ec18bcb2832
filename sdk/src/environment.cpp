#include "freshet/environment.h"

#include <cmath>

#include "freshet/detail/backend.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/text.h"

namespace freshet {

namespace detail {

namespace {

// "of 'map' ", if that is known.
std::string made_by(const Upstream& up) {
  const EnvironmentState& environment = *up.environment;
  if (up.generation == environment.generation) return "of '" + up.at().name + "' ";
  const bool last = up.generation + 1 == environment.generation;
  return last ? "of '" + environment.executed.at(up.vertex) + "' " : "";
}

}  // namespace

StreamGraph& Upstream::graph() const {
  if (generation != environment->generation) {
    throw InvalidInput("a stream " + made_by(*this) +
                       "is used after execute() has run its job: build the new job's streams from "
                       "the environment again");
  }
  return *environment->graph;
}

StreamEdge Upstream::edge(const RecordType& expects) const {
  static_cast<void>(graph());  // throws if there is none for this stream any more
  StreamEdge edge;
  edge.from = vertex;
  edge.output = output;
  edge.automatic = automatic;
  edge.partitioning = partitioning;
  edge.expects = &expects;
  return edge;
}

void require_one_job(const char* call, const Upstream& first, const Upstream& other) {
  if (first.environment != other.environment) {
    throw InvalidInput(std::string(call) + " joins a stream " + made_by(first) + "and a stream " +
                       made_by(other) +
                       "of another environment: a job has the streams of one; make both from it");
  }
  static_cast<void>(first.graph());
  static_cast<void>(other.graph());
}

StreamVertex registered_vertex(std::string operator_name, std::string payload) {
  StreamVertex vertex;
  vertex.kind = vertex.name = operator_name;
  vertex.registered_name = std::move(operator_name);
  vertex.payload.bytes = std::move(payload);
  return vertex;
}

void check_out_of_orderness(std::int64_t ms) {
  if (ms >= 0) return;
  throw InvalidInput("assign_timestamps(): an out-of-orderness of " + std::to_string(ms) +
                     " ms can't be: give how late records may be, 0 or more");
}

void check_rate(double records_per_second) {
  if (std::isfinite(records_per_second) && records_per_second >= 0) return;
  std::string text;
  append_text(text, records_per_second);
  throw InvalidInput("generate(): a rate of " + text +
                     " records a second can't be: give a number above 0, or 0 for as fast as can "
                     "be");
}

void check_sequence(std::int64_t first, std::int64_t last) {
  if (first != INT64_MIN || last != INT64_MAX) return;
  throw InvalidInput("from_sequence(" + std::to_string(first) + ", " + std::to_string(last) +
                     ") has 2^64 numbers, which are too many to be counted: leave one out");
}

namespace {

std::uint32_t checked(const Upstream& up, const char* what, int value) {
  if (value < 1 || value > 32768) {
    throw InvalidInput(std::string(what) + " " + std::to_string(value) + " of '" + up.at().name +
                       "' is out of range: it must be 1 to 32768");
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

void set_parallelism(const Upstream& up, int parallelism) {
  const std::uint32_t value = checked(up, "parallelism", parallelism);
  StreamVertex& vertex = up.at();
  if (vertex.fixed_parallelism && vertex.fixed_parallelism != value) {
    throw InvalidInput("parallelism " + std::to_string(value) + " of '" + vertex.name +
                       "' can't be: it always runs with " +
                       std::to_string(vertex.fixed_parallelism) +
                       "; set the parallelism of what comes after it");
  }
  vertex.parallelism = value;
}

void set_max_parallelism(const Upstream& up, int max_parallelism) {
  up.at().max_parallelism = checked(up, "maximum parallelism", max_parallelism);
}

std::uint32_t side_output_index(const Upstream& up, const std::vector<std::string>& tags,
                                std::string_view tag, const RecordType& type) {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i] != tag) continue;
    const auto index = static_cast<std::uint32_t>(i + 1);
    const RecordType& made = *up.at().outputs[index];
    if (made.schema().fingerprint() != type.schema().fingerprint()) {
      throw InvalidInput("side output '" + std::string(tag) + "' of '" + up.at().name + "' holds " +
                         made.schema().text() + ", asked for as " + type.schema().text() +
                         ": use one tag for both");
    }
    return index;
  }
  throw InvalidInput("'" + up.at().name + "' has no side output '" + std::string(tag) +
                     "': give its tag to process()");
}

}  // namespace detail

DataStreamSink& DataStreamSink::name(std::string name) {
  up_.at().name = std::move(name);
  return *this;
}
DataStreamSink& DataStreamSink::uid(std::string uid) {
  up_.at().uid = std::move(uid);
  return *this;
}
DataStreamSink& DataStreamSink::set_parallelism(int parallelism) {
  detail::set_parallelism(up_, parallelism);
  return *this;
}
DataStreamSink& DataStreamSink::set_max_parallelism(int max_parallelism) {
  detail::set_max_parallelism(up_, max_parallelism);
  return *this;
}
DataStreamSink& DataStreamSink::captures_no_pointers() {
  up_.at().captures_no_pointers = true;
  return *this;
}
DataStreamSink& DataStreamSink::disable_chaining() {
  up_.at().chains_with_input = false;
  return *this;
}

StreamExecutionEnvironment StreamExecutionEnvironment::get_execution_environment() {
  return get_execution_environment(Configuration{});
}

StreamExecutionEnvironment StreamExecutionEnvironment::get_execution_environment(
    const Configuration& configuration) {
  auto state = std::make_shared<detail::EnvironmentState>();
  state->configuration = detail::execution_backend().configuration();
  state->configuration.merge(configuration);
  return StreamExecutionEnvironment(std::move(state));
}

StreamExecutionEnvironment& StreamExecutionEnvironment::set_parallelism(int parallelism) {
  state_->configuration.set(options::kParallelismDefault, parallelism);
  return *this;
}
StreamExecutionEnvironment& StreamExecutionEnvironment::set_max_parallelism(int max_parallelism) {
  state_->configuration.set(options::kPipelineMaxParallelism, max_parallelism);
  return *this;
}
StreamExecutionEnvironment& StreamExecutionEnvironment::disable_operator_chaining() {
  state_->configuration.set(options::kPipelineOperatorChaining, false);
  return *this;
}
void StreamExecutionEnvironment::add_job_listener(std::shared_ptr<JobListener> listener) {
  state_->listeners.push_back(std::move(listener));
}

namespace {

// A job whose result is known once its listeners have been told.
class ListenedJob final : public JobClient {
 public:
  using Listeners = std::vector<std::shared_ptr<JobListener>>;

  ListenedJob(std::unique_ptr<JobClient> job, Listeners listeners)
      : job_(std::move(job)),
        told_(job_->result().then([listeners = std::move(listeners)](const JobResult& result) {
          for (const auto& listener : listeners) listener->on_job_executed(result);
          return result;
        })) {}

  const std::string& job_id() const override { return job_->job_id(); }
  const std::string& job_name() const override { return job_->job_name(); }
  Future<JobStatus> status() override { return job_->status(); }
  Future<JobResult> result() override { return told_; }
  Future<void> cancel() override { return job_->cancel(); }
  Future<AccumulatorValues> accumulators() override { return job_->accumulators(); }
  Future<JobDetails> details() override { return job_->details(); }
  Future<std::string> stop(const std::string& directory, bool drain) override {
    return job_->stop(directory, drain);
  }
  Future<std::string> savepoint(const std::string& directory) override {
    return job_->savepoint(directory);
  }
  Future<std::optional<std::string>> next_result(const std::string& vertex_id) override {
    return job_->next_result(vertex_id);
  }
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) override {
    return job_->next_message(after);
  }

 private:
  const std::unique_ptr<JobClient> job_;
  const Future<JobResult> told_;
};

}  // namespace

std::unique_ptr<JobClient> StreamExecutionEnvironment::execute_async(std::string job_name) {
  const std::unique_ptr<StreamGraph> graph =
      std::exchange(state_->graph, std::make_unique<StreamGraph>());
  ++state_->generation;
  state_->executed.clear();
  for (const StreamVertex& vertex : graph->vertices()) state_->executed.push_back(vertex.name);
  if (!job_name.empty()) graph->job_name = std::move(job_name);
  const auto listeners = state_->listeners;
  std::unique_ptr<JobClient> client;
  try {
    client = detail::execution_backend().execute(*graph, state_->configuration).get();
  } catch (const std::exception& error) {
    for (const auto& listener : listeners) listener->on_job_submitted(nullptr, error.what());
    throw;
  }
  if (listeners.empty()) return client;
  try {
    for (const auto& listener : listeners) listener->on_job_submitted(client.get(), {});
  } catch (...) {
    detail::cancel_and_wait(*client);  // nobody would hold it
    throw;
  }
  return std::make_unique<ListenedJob>(std::move(client), listeners);
}

JobResult StreamExecutionEnvironment::execute(std::string job_name) {
  const std::unique_ptr<JobClient> client = execute_async(std::move(job_name));
  return detail::result_or_throw(*client);
}

}  // namespace freshet
