#include "job_master/job_master.h"

#include <spdlog/spdlog.h>

#include <cassert>
#include <string_view>
#include <unordered_map>

#include "bounds/bounds.h"
#include "bounds/failure_text.h"
#include "job_master/read_rows.h"

namespace freshet::core {

namespace {

// One that is known: each worker of each attempt has another.
bool is_same(const Address& a, const Address& b) {
  return !a.endpoint.empty() && a.endpoint == b.endpoint && a.key == b.key;
}

}  // namespace

void JobMasterListener::keep_result(JobMaster&, detail::UniqueFunction<void()> kept) { kept(); }
void JobMasterListener::keep_commit(JobMaster&, detail::UniqueFunction<void()> kept) { kept(); }

JobMaster::JobMaster(Attempt::Services services, const std::string& job_graph,
                     std::string application_id, std::string ticket, JobMasterListener& listener)
    : services_(services),
      listener_(listener),
      plan_(std::make_unique<JobPlan>(job_graph)),
      id_(plan_->graph().id),
      name_(cut_to(kMostNameBytes, plan_->graph().name)),
      application_id_(std::move(application_id)),
      ticket_(std::move(ticket)),
      messages_(services.thread.clock()),
      end_(promise_.future()) {
  const Configuration& configuration = plan_->configuration();
  if (configuration.get(options::kRestartStrategy) == RestartStrategy::kFixedDelay) {
    restarts_left_ = configuration.get(options::kRestartStrategyAttempts);
  }
  since_ms_ = services_.thread.clock().wall_ms();
}

JobMaster::~JobMaster() {
  alive_.end();
  committing_.reset();  // before its attempt
  if (restart_timer_) services_.thread.cancel(*restart_timer_);
}

// ---- its life -----------------------------------------------------------------------------------

void JobMaster::start() {
  started_ns_ = services_.thread.clock().now_ns();
  spdlog::info("job '{}' ({}) is created", name_, id_);
  JobMessage message;
  message.status = status_;
  message.text = "job '" + name_ + "' is created";
  messages_.add(std::move(message));
  messages_.publish();
  listener_.job_changed(*this);
  begin_attempt();
}

void JobMaster::begin_attempt() {
  if (has_ended()) return;
  if (starts_since_ns_ == 0) starts_since_ns_ = services_.thread.clock().now_ns();
  const std::uint32_t number = attempts_++;
  AttemptListener& listener = *this;
  auto attempt = std::make_unique<Attempt>(services_, *plan_, number, listener);
  current_ = attempt.get();
  running_.emplace(number, std::move(attempt));
  current_->start();
  serve_collectors();
}

void JobMaster::attempt_waits() { listener_.job_changed(*this); }

void JobMaster::attempt_opened() {
  starts_since_ns_ = 0;
  host_failure_.clear();
  enter(JobStatus::kRunning, "every subtask has opened");
  listener_.job_changed(*this);
}

void JobMaster::attempt_told(OperatorTold told) {
  if (has_ended()) return;
  JobMessage message;
  message.status = status_;
  message.operator_name = cut_to(kMostNameBytes, plan_->graph().vertices[told.vertex].name);
  message.subtask = told.subtask;
  message.text = cut_to(kMostMessageBytes, std::move(told.text));
  messages_.add(std::move(message));
  messages_.publish();
}

// What hosts do to it does not count against it, for as long as it would wait for slots.
bool JobMaster::may_start_again() const {
  const std::int64_t tried_ns = services_.thread.clock().now_ns() - starts_since_ns_;
  return tried_ns < plan_->configuration().get(options::kSlotRequestTimeout).ns();
}

// By its restart strategy; it says so if only its rows keep it from that.
bool JobMaster::may_restart(FailureInfo& failure) {
  if (restarts_left_ == 0) return false;
  if (rows_are_read_) failure.message = with_more(failure.message, kNotAgainAfterRows);
  return !rows_are_read_;
}

void JobMaster::attempt_failed(FailureInfo failure, bool fatal, Blame blame) {
  keeps_commit_ = false;
  // Why it has found no slots is what kept it from starting on those that it had.
  if (fatal && !host_failure_.empty()) {
    failure.message =
        with_more(failure.message, "; before that: " + FailureText::split(host_failure_).text);
  }
  const bool of_its_host = blame == Blame::kHost && may_start_again();
  const bool again = !fatal && (of_its_host || may_restart(failure));
  failure_ = bounded(std::move(failure));
  const std::string reason = JobFailed(name_, *failure_).what();
  if (again) {
    if (of_its_host) {
      host_failure_ = failure_->message;
    } else {
      --restarts_left_;
    }
    if (status_ == JobStatus::kRestarting) {
      reason_ = reason;  // again, before it had opened
      spdlog::warn("job '{}' ({}) failed again while restarting: {}", name_, id_, reason);
    } else {
      enter(JobStatus::kRestarting, reason);
    }
  } else {
    enter(JobStatus::kFailing, reason);
  }
  listener_.job_changed(*this);
}

void JobMaster::attempt_ended() {
  switch (status_) {
    case JobStatus::kCanceling:
      end(JobStatus::kCanceled);
      return;
    case JobStatus::kFailing:
      end(JobStatus::kFailed);
      return;
    case JobStatus::kRestarting: {
      current_ = nullptr;
      const std::int64_t delay =
          plan_->configuration().get(options::kRestartStrategyDelay).ns() / 1'000'000;
      restart_timer_ =
          services_.thread.after_ms(delay, "restart of job " + id_, alive_.guard([this] {
            restart_timer_.reset();
            begin_attempt();
          }));
      return;
    }
    case JobStatus::kRunning:
      assert(current_->finished());
      end(JobStatus::kFinished);
      return;
    case JobStatus::kCommitting:
      begin_to_commit();
      return;
    case JobStatus::kCreated:
    case JobStatus::kFinished:
    case JobStatus::kFailed:
    case JobStatus::kCanceled:
      break;
  }
  assert(false && "an attempt has ended in a job that can't have one");
}

// ---- its commit ---------------------------------------------------------------------------------

void JobMaster::attempt_finished() {
  if (current_->committables().empty()) {
    current_->commit();
    return;
  }
  std::size_t bytes = 0;
  for (const Committable& each : current_->committables()) bytes += each.bytes.size();
  if (bytes > Committable::kMostOfJob) {
    FailureInfo failure;
    failure.message = "its subtasks have prepared " + std::to_string(bytes) +
                      " bytes to be committed, and " + std::to_string(Committable::kMostOfJob) +
                      " are the most of a job: let prepare_commit() give names, or set the "
                      "parallelism to less";
    current_->refuse(std::move(failure));
    return;
  }
  keeps_commit_ = true;
  alive_.on_done(current_->reports(), [this](const Future<std::vector<TaskReport>>& reports) {
    if (!keeps_commit_) return;  // it has failed meanwhile
    if (reports.get().size() < current_->workers()) {
      FailureInfo failure;
      failure.message = "a worker was lost before its counters and accumulators were known";
      current_->give_up(std::move(failure));
      return;
    }
    commit_.committables = current_->committables();
    commit_.simple_commits = current_->has_simple_commits();
    commit_.reports = reports.get();
    listener_.keep_commit(*this, alive_.guard([this] { commit_is_kept(); }));
  });
}

void JobMaster::commit_is_kept() {
  if (!keeps_commit_) return;
  keeps_commit_ = false;
  keeping_error_.clear();
  enter(JobStatus::kCommitting, "all has been read and written");
  listener_.job_changed(*this);
  current_->commit();
}

void JobMaster::start_to_commit(JobCommit commit) {
  started_ns_ = services_.thread.clock().now_ns();
  commit_ = std::move(commit);
  enter(JobStatus::kCommitting, "an earlier job manager has begun to commit it");
  listener_.job_changed(*this);
  if (commit_.simple_commits) {
    FailureInfo failure;
    failure.message =
        "the job manager was lost while operators with a simple commit() may have committed: a "
        "part of its output may be visible";
    commit_failed(std::move(failure));
    return;
  }
  begin_to_commit();
}

void JobMaster::begin_to_commit() {
  CommittingListener& listener = *this;
  committing_ = std::make_unique<Committing>(
      services_, *plan_, commit_.committables, current_, [this] { return attempts_++; }, listener);
  committing_->start();
}

void JobMaster::attempt_committed(OutputCommitted output) {
  if (committing_) committing_->note(output);
}

void JobMaster::committed() {
  if (current_) current_->let_go();
  end(JobStatus::kFinished);
}

void JobMaster::commit_failed(FailureInfo failure) {
  failure_ = bounded(std::move(failure));
  enter(JobStatus::kFailing, JobFailed(name_, *failure_).what());
  end(JobStatus::kFailed);
}

void JobMaster::commit_gone() {
  services_.thread.post("end of the commit of job " + id_, alive_.guard([this] { check_gone(); }));
}

void JobMaster::cancel_by_force(const std::string& reason) {
  if (!is_committing() || keeps_result_) {
    cancel(reason);
  } else if (committing_) {
    committing_->give_up("since it was " + reason + " by force");
  } else {
    FailureInfo failure;
    failure.message = reason + " by force before its output was committed";
    if (current_->has_simple_commits()) failure.message += ": a part of it may be visible";
    current_->refuse(std::move(failure));
  }
}

// ---- its end ------------------------------------------------------------------------------------

void JobMaster::cancel(const std::string& reason, bool by_main) {
  if (is_committing()) return;
  if (has_ended() || keeps_result_ || status_ == JobStatus::kCanceling ||
      status_ == JobStatus::kFailing) {
    return;
  }
  canceled_by_main_ = by_main;
  enter(JobStatus::kCanceling, reason);
  listener_.job_changed(*this);
  if (restart_timer_) {
    services_.thread.cancel(*restart_timer_);
    restart_timer_.reset();
    end(JobStatus::kCanceled);
  } else if (current_) {
    current_->cancel(reason);
  } else {
    end(JobStatus::kCanceled);
  }
}

void JobMaster::end(JobStatus status) {
  // All workers have said their last word, so this completes at once.
  std::vector<TaskReport> reports;
  if (current_) {
    const auto last = current_->reports();
    assert(last.ready());
    reports = last.get();
  }
  // Of workers that are lost only what they had told before the commit is known.
  if (reports.size() < commit_.reports.size()) reports = commit_.reports;
  finish_end(status, reports);
}

void JobMaster::finish_end(JobStatus status, const std::vector<TaskReport>& reports) {
  ended_ms_ = services_.thread.clock().wall_ms();
  ended_ns_ = services_.thread.clock().now_ns();
  if (status != JobStatus::kFailed) failure_.reset();
  if (status == JobStatus::kFinished) reason_.clear();
  last_details_ = merged(reports);
  last_details_.status = status;
  result_.job_id = id_;
  result_.job_name = name_;
  result_.status = status;
  result_.duration_ms = running_ms();
  result_.accumulators = merged_accumulators(reports);
  result_.failure = failure_;
  keeps_result_ = true;
  listener_.keep_result(*this, alive_.guard([this, status] { end_is_kept(status); }));
}

void JobMaster::keeping_fails(const std::string& error) {
  if (!keeps_result_ && !keeps_commit_) return;
  keeping_error_ = error;
  listener_.job_changed(*this);
}

void JobMaster::end_is_kept(JobStatus status) {
  assert(keeps_result_);
  keeps_result_ = false;
  enter(status, reason_);
  // It may have gone while the result was being kept.
  if (current_ && current_->gone()) attempt_gone();
  current_ = nullptr;
  messages_.end();
  messages_.publish();
  listener_.job_changed(*this);
  listener_.job_ended(*this);
  serve_collectors();
  promise_.set_value(result_);
  check_gone();
}

void JobMaster::attempt_gone() {
  // It calls us, so it is let go later.
  services_.thread.post("end of an attempt of job " + id_,
                        alive_.guard([this] { drop_attempts(); }));
  if (committing_) committing_->attempt_gone();
}

void JobMaster::drop_attempts() {
  std::erase_if(running_, [this](const auto& attempt) {
    return attempt.second.get() != current_ && attempt.second->gone();
  });
  check_gone();
}

void JobMaster::check_gone() {
  if (gone_ || !has_ended() || !running_.empty()) return;
  if (committing_ && !committing_->gone()) return;
  gone_ = true;
  commit_ = {};
  if (committing_) {  // which may be what calls us
    services_.thread.post("end of the commit of job " + id_,
                          alive_.guard([this] { committing_.reset(); }));
  }
  plan_.reset();
  listener_.job_gone(*this);
}

void JobMaster::enter(JobStatus status, const std::string& reason) {
  const JobStatus before = status_;
  move_state("job '" + name_ + "' (" + id_ + ")", status_, status);
  spdlog::info("job '{}' ({}) goes from {} to {}{}{}", name_, id_, name_of(before), name_of(status),
               reason.empty() ? "" : ": ", reason);
  reason_ = reason;
  JobMessage message;
  message.status = status;
  message.text = "job '" + name_ + "' is " + name_of(status);
  if (failure_ && (status == JobStatus::kFailing || status == JobStatus::kFailed ||
                   status == JobStatus::kRestarting)) {
    message.operator_name = failure_->operator_name;
    message.subtask = failure_->subtask;
    message.text = JobFailed(name_, *failure_).what();
  }
  messages_.add(std::move(message));
  messages_.publish();
}

// ---- what is asked ------------------------------------------------------------------------------

std::int64_t JobMaster::running_ms() const {
  const std::int64_t end = ended_ns_ ? ended_ns_ : services_.thread.clock().now_ns();
  return started_ns_ ? (end - started_ns_) / 1'000'000 : 0;
}

JobInfo JobMaster::info() const {
  JobInfo info;
  info.job_id = id_;
  info.job_name = name_;
  info.application_id = application_id_;
  info.status = status_;
  info.since_ms = since_ms_;
  info.ended_ms = has_ended() ? ended_ms_ : 0;
  if (keeps_result_) {
    info.detail = keeping_error_.empty()
                      ? "it has ended, its result is being stored"
                      : "it has ended, its result can't be stored yet: " + keeping_error_;
    return info;
  }
  if (keeps_commit_) {
    info.detail =
        keeping_error_.empty()
            ? "all is written, what is to be committed is being stored"
            : "all is written, what is to be committed can't be stored yet: " + keeping_error_;
    return info;
  }
  if (committing_ && status_ == JobStatus::kCommitting) {
    info.detail = committing_->detail();
    return info;
  }
  if (current_ && !has_ended()) info.detail = current_->detail();
  if (info.detail.empty() && status_ != JobStatus::kRunning && status_ != JobStatus::kFinished) {
    info.detail = reason_;
  }
  return info;
}

JobInfo JobMaster::info_of_end() const {
  return {id_,
          name_,
          application_id_,
          result_.status,
          result_.status == JobStatus::kFinished ? "" : reason_,
          since_ms_,
          ended_ms_};
}

Future<JobResult> JobMaster::ended() { return end_; }

JobDetails JobMaster::merged(const std::vector<TaskReport>& reports) const {
  JobDetails details;
  details.job_id = id_;
  details.job_name = name_;
  details.status = status_;
  details.running_ms = running_ms();
  if (current_) details.subtasks = current_->subtasks();
  const auto& vertices = plan_->graph().vertices;
  for (const JobVertex& vertex : vertices) {
    details.vertices.push_back({vertex.id, vertex.name, vertex.parallelism, 0, 0, {}});
  }
  std::unordered_map<std::string_view, VertexDetails*> by_id;
  for (VertexDetails& whole : details.vertices) by_id.emplace(whole.id, &whole);
  std::size_t metric_bytes = 0;
  for (const TaskReport& report : reports) {
    details.source_records += report.source_records;
    details.sink_records += report.sink_records;
    for (const VertexDetails& part : report.vertices) {
      const auto known = by_id.find(part.id);
      if (known == by_id.end()) continue;
      VertexDetails& whole = *known->second;
      whole.records_in += part.records_in;
      whole.records_out += part.records_out;
      for (const auto& [name, value] : part.metrics) {
        const auto known_metric = whole.metrics.find(name);
        if (known_metric != whole.metrics.end()) {
          if (known_metric->second.kind == value.kind) known_metric->second.merge(value);
          continue;
        }
        // A process sees to the limit of its own subtasks; above it here, metrics are left out.
        metric_bytes += name.size() + kMetricBytes;
        if (metric_bytes <= kMostMetricBytes) whole.metrics.emplace(name, value);
      }
    }
  }
  return details;
}

AccumulatorValues JobMaster::merged_accumulators(const std::vector<TaskReport>& reports) const {
  AccumulatorValues values;
  std::size_t bytes = 0;
  for (const TaskReport& report : reports) {
    for (const auto& [name, value] : report.accumulators) {
      // An attempt sees to the limits before it commits; what comes later is left out.
      bytes += accumulated_bytes(value);
      const bool is_one_too_many = values.size() >= kMostAccumulators && !values.count(name);
      if (bytes > kMostAccumulatedBytes || is_one_too_many) {
        spdlog::warn(
            "job '{}' ({}): accumulator '{}' is left out in part: the limits are {} bytes and {} "
            "accumulators",
            name_, id_, name, kMostAccumulatedBytes, kMostAccumulators);
        return values;
      }
      const auto [of, added] = values.emplace(name, value);
      if (!added && of->second.kind == value.kind) of->second.merge(value, name);
    }
  }
  return values;
}

Future<JobDetails> JobMaster::details() {
  if (has_ended()) return make_ready_future(last_details_);
  if (!current_) return make_ready_future(merged({}));
  const auto promise = std::make_shared<Promise<JobDetails>>();
  alive_.on_done(current_->reports(), [this, promise](const auto& done) {
    promise->set_value(has_ended() ? last_details_ : merged(done.get()));
  });
  return promise->future();
}

Future<AccumulatorValues> JobMaster::accumulators() {
  if (has_ended()) return make_ready_future(result_.accumulators);
  if (!current_) return make_ready_future(AccumulatorValues{});
  const auto promise = std::make_shared<Promise<AccumulatorValues>>();
  alive_.on_done(current_->reports(), [this, promise](const auto& done) {
    promise->set_value(has_ended() ? result_.accumulators : merged_accumulators(done.get()));
  });
  return promise->future();
}

Future<CollectAddress::Answer> JobMaster::collect_address(const CollectAddress& message) {
  if (!plan_) return make_ready_future(CollectAddress::Answer{});  // it is over, with all its rows
  Collector collector{plan_->vertex(message.vertex_id), message.reader, message.read, {}};
  auto answer = collector.promise.future();
  collectors_.push_back(std::move(collector));
  serve_collectors();
  return answer;
}

bool JobMaster::keep_rows(const KeepRows& message) {
  if (!plan_ || has_ended() || status_ == JobStatus::kFailing || status_ == JobStatus::kCanceling ||
      (status_ == JobStatus::kCommitting && !current_))
    return true;  // no attempt follows
  const std::uint32_t vertex = plan_->vertex(message.vertex_id);
  if (status_ == JobStatus::kRestarting || !current_ ||
      !is_same(current_->data_of(vertex), message.worker))
    return false;
  rows_are_read_ = true;
  return true;
}

// Those whose attempt ends before it has let them in come again, for the next one.
void JobMaster::serve_collectors() {
  std::vector<Collector> collectors = std::move(collectors_);
  collectors_.clear();
  const bool no_more =
      has_ended() || status_ == JobStatus::kFailing || status_ == JobStatus::kCanceling;
  for (Collector& collector : collectors) {
    if (no_more) {
      collector.promise.set_value(CollectAddress::Answer{});
    } else if (!current_ || current_->is_ending() ||
               is_same(current_->data_of(collector.vertex), collector.read)) {
      collectors_.push_back(std::move(collector));
    } else {
      const auto shared = std::make_shared<Collector>(std::move(collector));
      alive_.on_done(current_->admit_reader(shared->vertex, shared->key),
                     [this, shared](const Future<Address>& done) {
                       collector_admitted(std::move(*shared), done.get());
                     });
    }
  }
}

void JobMaster::collector_admitted(Collector collector, const Address& address) {
  if (address.endpoint.empty() || is_same(address, collector.read)) {
    collectors_.push_back(std::move(collector));
    // What has failed here is told first: the job's state then says whether another attempt comes.
    services_.thread.post("collectors of job " + id_, alive_.guard([this] { serve_collectors(); }));
    return;
  }
  CollectAddress::Answer answer;
  answer.vertex = collector.vertex;
  answer.address = address;
  collector.promise.set_value(answer);
}

}  // namespace freshet::core
