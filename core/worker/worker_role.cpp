#include "worker/worker_role.h"

#include <spdlog/spdlog.h>

#include "bounds/bounds.h"
#include "network/endpoint.h"

namespace freshet::core {

WorkerRole::WorkerRole(ControlThread& thread, Transport& transport, TaskRunner& tasks,
                       WorkerStart start, std::string incarnation, std::int64_t process_id,
                       LinkOptions links, OnEnd on_end)
    : thread_(thread),
      tasks_(tasks),
      start_(std::move(start)),
      process_id_(process_id),
      on_end_(std::move(on_end)) {
  table_.on<Deploy>([this](Link&, const Deploy& message) { deploy(message); });
  table_.on<OpenGate>([this](Link&, const OpenGate&) {
    if (runs_) tasks_.open_gate();
  });
  table_.on<Commit>([this](Link&, const Commit&) {
    if (runs_) tasks_.commit();
  });
  table_.on<CommitPrepared>(
      [this](Link&, CommitPrepared message) { return commit(std::move(message)); });
  table_.on<CancelTasks>([this](Link&, const CancelTasks&) {
    if (runs_) tasks_.cancel();
  });
  table_.on<GetReport>(
      [this](Link&, const GetReport&) { return runs_ ? tasks_.report() : TaskReport{}; });
  table_.on<AdmitReader>([this](Link&, const AdmitReader& message) {
    tasks_.admit_reader(message.key);
    return Done{};
  });
  table_.on<EndWorker>([this](Link&, const EndWorker&) { end(0, "everything is told"); });
  PeerInfo self;
  self.role = Role::kWorker;
  self.name = "worker " + start_.worker.text();
  self.incarnation = std::move(incarnation);
  links_ = std::make_unique<Links>(thread, transport, self, links);
}

WorkerRole::~WorkerRole() {
  {
    const std::lock_guard lock(life_->mutex);
    life_->ended = true;
  }
  alive_.end();
  links_.reset();
}

void WorkerRole::start() {
  data_ = tasks_.listen(start_.one_host, start_.socket_folder, start_.host);
  data_.endpoint = told_endpoint(data_.endpoint, start_.told_host);
  LinkListener& listener = *this;
  constexpr std::int64_t kPatienceMs = 30'000;
  link_ = &links_->connect(start_.job_manager, table_, listener, kPatienceMs);
}

void WorkerRole::link_opened(Link& link) {
  WorkerReady message;
  message.worker = start_.worker;
  message.data = data_;
  message.process_id = process_id_;
  link.send(message);
}

void WorkerRole::link_lost(Link&, const std::string& reason) {
  link_ = nullptr;
  end(tasks_ended_ ? 0 : 1, "the job manager is lost: " + reason);
}

void WorkerRole::deploy(const Deploy& message) {
  if (deployed_) return;
  deployed_ = true;
  Deployment deployment;
  deployment.job_graph = message.job_graph;
  deployment.modules = start_.modules;
  deployment.workers = message.workers;
  deployment.number = message.number;
  deployment.worker_of_subtask = message.worker_of_subtask;
  try {
    TaskRunnerListener& listener = *this;
    tasks_.deploy(deployment, listener);
    runs_ = true;
  } catch (const std::exception& error) {
    // Nothing runs here, so this is the last word, too.
    FailureInfo failure;
    failure.message = error.what();
    tasks_failed(bounded(std::move(failure)));
    tasks_ended(TaskReport{});
  }
}

// What is visible is reported at once, since another one may never come to its end.
Future<CommitPrepared::Answer> WorkerRole::commit(CommitPrepared message) {
  struct Answering {
    std::vector<OutputCommitted> outputs;  // by place
    CommitPrepared::Answer answer;
    std::size_t open;
    Promise<CommitPrepared::Answer> promise;
  };
  const auto answering = std::make_shared<Answering>();
  for (const Committable& each : message.committables) {
    answering->outputs.push_back({each.vertex, each.subtask, {}});
  }
  answering->open = message.committables.size();
  answering->answer.outcomes.resize(answering->open);
  auto future = answering->promise.future();
  if (answering->open == 0) answering->promise.set_value(answering->answer);
  CommitRequest request;
  request.job_graph = std::move(message.job_graph);
  request.modules = start_.modules;
  request.committables = std::move(message.committables);
  tasks_.commit_prepared(std::move(request), [this, answering, life = life_](
                                                 std::size_t place, CommitOutcome outcome) {
    const std::lock_guard lock(life->mutex);  // afterwards our thread may be gone
    if (life->ended) return;
    outcome.text = cut_to(kMostMessageBytes, std::move(outcome.text));
    tell([answering, place, outcome = std::move(outcome)](Link& link) {
      answering->answer.outcomes[place] = outcome;
      if (--answering->open == 0) {
        answering->promise.set_value(std::move(answering->answer));
      } else if (outcome.committed) {
        answering->outputs[place].text = outcome.text;
        link.send(answering->outputs[place]);
      }
    });
  });
  return future;
}

// ---- what tasks tell ----------------------------------------------------------------------------

void WorkerRole::tasks_opened() {
  tell([](Link& link) { link.send(TasksOpened{}); });
}

void WorkerRole::tasks_finished(FinishedTasks finished) {
  tell([this, finished = std::move(finished)](Link& link) {
    tell_accumulated(link);
    link.send(TasksFinished{finished.committables, finished.commits});
  });
}

void WorkerRole::tell_accumulated(Link& link) {
  TasksAccumulated message;
  std::size_t most = 0;
  for (const auto& [name, value] : tasks_.report().accumulators) {
    const std::size_t bytes = accumulated_bytes(value);
    message.bytes += bytes;
    if (bytes <= most) continue;
    most = bytes;
    message.largest = name;
  }
  if (most > 0) link.send(message);
}

void WorkerRole::tasks_failed(FailureInfo failure) {
  tell([failure = std::move(failure)](Link& link) {
    link.send(TasksFailed{failure, std::nullopt});
  });
}

void WorkerRole::peer_lost(std::uint32_t worker, FailureInfo failure) {
  tell([worker, failure = std::move(failure)](Link& link) {
    link.send(TasksFailed{failure, worker});
  });
}

void WorkerRole::told(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  tell([vertex, subtask, text = std::move(text)](Link& link) {
    link.send(OperatorTold{vertex, subtask, text});
  });
}

void WorkerRole::tasks_ended(TaskReport report) {
  tell([this, report = std::move(report)](Link& link) {
    tasks_ended_ = true;
    try {
      link.send(TasksEnded{report});
    } catch (const InvalidInput& error) {
      // The tasks have ended as they have, which is not to be lost for what is said of them.
      spdlog::error("worker {}: its counters are lost: {}", start_.worker.text(), error.what());
      link.send(TasksEnded{});
    }
  });
}

void WorkerRole::tell(detail::UniqueFunction<void(Link&)> what) {
  {
    const std::lock_guard lock(mutex_);
    untold_.push_back(std::move(what));
    if (untold_.size() > 1) return;  // the one that is posted tells this, too
  }
  thread_.post("worker: tell", [this, life = life_] {
    {
      const std::lock_guard lock(life->mutex);
      if (life->ended) return;
    }
    tell_all();
  });
}

void WorkerRole::tell_all() {
  std::deque<detail::UniqueFunction<void(Link&)>> told;
  {
    const std::lock_guard lock(mutex_);
    told.swap(untold_);
  }
  for (auto& what : told) {
    if (link_) what(*link_);
  }
}

void WorkerRole::end(int code, const std::string& why) {
  if (ended_) return;
  ended_ = true;
  spdlog::info("worker {} ends: {}", start_.worker.text(), why);
  thread_.post("worker: ended", alive_.guard([this, code, why] { on_end_(code, why); }));
}

}  // namespace freshet::core
