#include "simulation/simulated_tasks.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <sstream>

#include "freshet/plugin/job_graph.h"

namespace freshet::core {

std::string JobBehaviour::text() const {
  std::ostringstream text;
  text << runs_ms << ' ' << fails_one_in << ' ' << crashes_one_in << ' ' << hangs_one_in << ' '
       << refuses_one_in << ' ' << commits_ms << ' ' << commit_fails_one_in << ' '
       << commit_hangs_one_in;
  return text.str();
}

JobBehaviour JobBehaviour::from(const std::string& text) {
  JobBehaviour behaviour;
  std::istringstream in(text);
  in >> behaviour.runs_ms >> behaviour.fails_one_in >> behaviour.crashes_one_in >>
      behaviour.hangs_one_in >> behaviour.refuses_one_in >> behaviour.commits_ms >>
      behaviour.commit_fails_one_in >> behaviour.commit_hangs_one_in;
  return behaviour;
}

SimulatedTasks::SimulatedTasks(ControlThread& thread, std::uint64_t seed, std::string node,
                               std::function<void()> crash)
    : thread_(thread), random_(seed), node_(std::move(node)), crash_(std::move(crash)) {}
SimulatedTasks::~SimulatedTasks() = default;

void SimulatedTasks::later(std::int64_t at_most_ms, std::function<void()> what) {
  const auto delay = static_cast<std::int64_t>(
      random_.below(static_cast<std::uint64_t>(std::max<std::int64_t>(at_most_ms, 1))));
  thread_.after_ms(delay, "tasks", alive_.guard(std::move(what)));
}

Address SimulatedTasks::listen(bool, const std::string&, const std::string&) {
  return {"tcp://" + node_ + ":1", ""};
}

void SimulatedTasks::admit_reader(const PublicKey&) {}

void SimulatedTasks::deploy(const Deployment& deployment, TaskRunnerListener& listener) {
  const auto drawn = [this](std::uint64_t one_in) { return one_in && random_.one_in(one_in); };
  assert(deployment.number < deployment.workers.size());
  const JobGraph graph = JobGraph::from_bytes(deployment.job_graph);
  behaviour_ = JobBehaviour::from(graph.settings.at(kJobBehaviour));
  if (drawn(behaviour_.refuses_one_in)) throw InvalidInput("an operator is missing here");
  listener_ = &listener;
  for (std::uint32_t i = 0; i < deployment.worker_of_subtask.size(); ++i) {
    if (deployment.worker_of_subtask[i] == deployment.number) subtasks_.push_back(i);
  }
  hangs_ = drawn(behaviour_.hangs_one_in);
  constexpr std::int64_t kOpensMs = 30;
  const std::int64_t lives_ms = kOpensMs + std::max<std::int64_t>(behaviour_.runs_ms, 300);
  if (drawn(behaviour_.crashes_one_in)) later(lives_ms, crash_);
  if (drawn(behaviour_.fails_one_in)) {
    later(lives_ms, [this] {
      if (ended_ || canceled_ || failed_) return;
      failed_ = true;
      FailureInfo failure;
      failure.operator_name = "map";
      failure.message = "a record that it does not like";
      listener_->tasks_failed(std::move(failure));
    });
  }
  later(kOpensMs, [this] {
    if (!canceled_ && !failed_) listener_->tasks_opened();
  });
}

void SimulatedTasks::open_gate() {
  listener_->told(0, 0, "it runs");
  if (behaviour_.runs_ms < 0) return;
  later(behaviour_.runs_ms, [this] {
    if (canceled_ || failed_) return;
    finished_ = true;
    FinishedTasks finished;
    if (behaviour_.commits_ms >= 0) {
      for (const std::uint32_t subtask : subtasks_) {
        finished.committables.push_back({0, subtask, "part-" + std::to_string(subtask)});
      }
    }
    listener_->tasks_finished(std::move(finished));
  });
}

void SimulatedTasks::commit() {
  later(5, [this] {
    if (!canceled_ && !failed_) end();
  });
}

void SimulatedTasks::commit_prepared(CommitRequest request, OutcomeTold told) {
  if (!request.job_graph.empty()) {  // nobody has deployed it here
    behaviour_ =
        JobBehaviour::from(JobGraph::from_bytes(request.job_graph).settings.at(kJobBehaviour));
  }
  const auto drawn = [this](std::uint64_t one_in) { return one_in && random_.one_in(one_in); };
  for (std::size_t i = 0; i < request.committables.size(); ++i) {
    const std::string& part = request.committables[i].bytes;
    if (drawn(behaviour_.commit_hangs_one_in)) {
      hung_.push_back(told);
      continue;
    }
    CommitOutcome outcome;
    outcome.committed = !drawn(behaviour_.commit_fails_one_in);
    outcome.text = outcome.committed ? part : "no room for " + part;
    later(behaviour_.commits_ms, [told, i, outcome] { told(i, outcome); });
  }
}

void SimulatedTasks::cancel() {
  if (canceled_) return;
  canceled_ = true;
  if (!hangs_) later(40, [this] { end(); });
}

void SimulatedTasks::end() {
  if (ended_) return;
  ended_ = true;
  listener_->tasks_ended(report());
}

void SimulatedTasks::peer_ended(std::uint32_t worker) {
  later(3, [this, worker] {
    if (!listener_ || ended_ || canceled_ || failed_ || finished_) return;
    failed_ = true;
    FailureInfo failure;
    failure.message = "worker " + std::to_string(worker) + " of the job is lost";
    listener_->peer_lost(worker, std::move(failure));
  });
}

TaskReport SimulatedTasks::report() const {
  TaskReport report;
  AccumulatorValue subtasks;
  subtasks.kind = AccumulatorKind::kSum;
  subtasks.count = subtasks_.size();
  subtasks.number = static_cast<double>(subtasks_.size());
  report.accumulators["subtasks"] = subtasks;
  return report;
}

}  // namespace freshet::core
