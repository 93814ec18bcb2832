#include "job_master/attempt.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "bounds/bounds.h"
#include "bounds/failure_text.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {

Attempt::Attempt(Services services, const JobPlan& plan, std::uint32_t number,
                 AttemptListener& listener)
    : services_(services),
      plan_(plan),
      number_(number),
      holder_(plan.graph().id + "/" + std::to_string(number)),
      listener_(listener),
      subtasks_(plan.graph().name, plan.execution().subtasks().size()) {}

Attempt::~Attempt() {
  alive_.end();
  services_.resources.give_up(holder_);
  for (const auto& timer : {slots_timer_, peer_timer_, kill_timer_}) {
    if (timer) services_.thread.cancel(*timer);
  }
  for (std::uint32_t w = 0; w < workers_.size(); ++w) {
    if (!workers_[w].gone) services_.task_managers.abandon(id_of(w));
  }
}

// ---- the way up ---------------------------------------------------------------------------------

void Attempt::start() {
  enter(State::kWaiting);
  services_.resources.request(
      holder_, plan_.slots(), plan_.configuration().get(options::kSlotPlacement),
      alive_.guard([this](std::vector<SlotId> slots) { granted(std::move(slots)); }));
  if (state_ != State::kWaiting) return;
  const std::int64_t patience =
      plan_.configuration().get(options::kSlotRequestTimeout).ns() / 1'000'000;
  slots_timer_ =
      services_.thread.after_ms(patience, "slot request timeout", alive_.guard([this, patience] {
        if (state_ != State::kWaiting) return;
        passes_rare_path(RarePath::kSlotsWaitedForInVain);
        FailureInfo failure;
        failure.message = detail() + " after " + std::to_string(patience) +
                          " ms (slot.request-timeout): set its parallelism to less, or add a task "
                          "manager";
        fail(std::move(failure), /*fatal=*/true);
      }));
  listener_.attempt_waits();
}

void Attempt::granted(std::vector<SlotId> slots) {
  enter(State::kStarting);
  if (slots_timer_) services_.thread.cancel(*slots_timer_);
  std::vector<std::uint32_t> worker_of_slot;
  for (SlotId& slot : slots) {
    if (workers_.empty() || workers_.back().task_manager != slot.task_manager) {
      workers_.emplace_back();
      workers_.back().task_manager = slot.task_manager;
    }
    worker_of_slot.push_back(static_cast<std::uint32_t>(workers_.size() - 1));
    workers_.back().slots.push_back(std::move(slot));
  }
  worker_of_subtask_ = plan_.worker_of_subtask(worker_of_slot);
  for (std::uint32_t place = 0; place < worker_of_subtask_.size(); ++place) {
    workers_[worker_of_subtask_[place]].subtasks.push_back(place);
  }
  for (const Worker& worker : workers_) {
    hosts_.push_back(services_.task_managers.host_of(worker.task_manager));
  }
  const bool one_host = std::all_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return services_.task_managers.meet(workers_.front().task_manager, worker.task_manager);
  });
  for (std::uint32_t w = 0; w < workers_.size(); ++w) enter(w, SubtaskState::kScheduled, "a slot");
  for (std::uint32_t w = 0; w < workers_.size() && state_ == State::kStarting; ++w) {
    enter(w, SubtaskState::kDeploying, "its worker is asked for");
    StartWorker message;
    message.worker = id_of(w);
    message.job_name = plan_.graph().name;
    message.slots = static_cast<std::uint32_t>(workers_[w].slots.size());
    // One decision for all of them: those of a job can't talk if some listen on socket files and
    // others do not. One alone is left to its task manager.
    message.one_host = one_host && !(plan_.collects() && workers_.size() > 1);
    message.collects = plan_.collects();
    message.modules = plan_.shipped();
    message.settings = plan_.graph().settings;
    workers_[w].started = true;
    services_.task_managers.start(workers_[w].task_manager, std::move(message), *this);
  }
}

void Attempt::worker_ready(std::uint32_t number, Link& link, const Address& data) {
  Worker& worker = workers_[number];
  worker.link = &link;
  worker.data = data;
  worker.ready = true;
  if (state_ == State::kEnding) return;  // it is being stopped
  std::vector<Reader> readers = std::move(readers_);
  readers_.clear();
  for (Reader& reader : readers) admit(std::move(reader));
  if (state_ == State::kStarting &&
      count([](const Worker& w) { return w.ready; }) == workers_.size()) {
    deploy();
  }
}

void Attempt::deploy() {
  enter(State::kDeployed);
  Deploy message;
  message.job_graph = plan_.bytes();
  for (const Worker& worker : workers_) message.workers.push_back(worker.data);
  message.worker_of_subtask = worker_of_subtask_;
  for (std::uint32_t w = 0; w < workers_.size(); ++w) {
    message.number = w;
    if (workers_[w].link) workers_[w].link->send(message);
  }
}

void Attempt::tasks_opened(std::uint32_t number) {
  if (state_ != State::kDeployed) return;
  workers_[number].opened = true;
  if (count([](const Worker& w) { return w.opened; }) < workers_.size()) return;
  enter(State::kOpened);
  for (std::uint32_t w = 0; w < workers_.size(); ++w) {
    if (workers_[w].link) workers_[w].link->send(OpenGate{});
    enter(w, SubtaskState::kRunning, "all have opened");
  }
  listener_.attempt_opened();
}

void Attempt::tasks_finished(std::uint32_t number, FinishedTasks finished) {
  Worker& worker = workers_[number];
  if (state_ != State::kOpened || worker.finished) return;
  worker.finished = true;
  worker.commits = finished.commits;
  const auto& vertices = plan_.graph().vertices;
  for (Committable& each : finished.committables) {
    if (each.vertex < vertices.size() && each.subtask < vertices[each.vertex].parallelism) {
      committables_.push_back(std::move(each));
      continue;
    }
    FailureInfo failure;
    failure.message = text_of(number) + " has prepared an output for subtask " +
                      std::to_string(each.subtask) + " of operator " + std::to_string(each.vertex) +
                      ", which the job does not have";
    refuse(std::move(failure));
    return;
  }
  if (count([](const Worker& w) { return w.finished; }) < workers_.size()) return;
  enter(State::kFinished);
  listener_.attempt_finished();
}

bool Attempt::has_simple_commits() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.commits; });
}

void Attempt::commit() {
  if (state_ != State::kFinished) return;
  enter(State::kCommitting);
  for (Worker& worker : workers_) {
    if (worker.link) worker.link->send(Commit{});
  }
  settle();  // some may be lost already
}

Link* Attempt::link_for(std::uint32_t vertex, std::uint32_t subtask) const {
  const std::uint32_t place =
      plan_.execution().place_of(plan_.execution().task_of_vertex(vertex), subtask);
  if (Link* own = workers_[worker_of_subtask_[place]].link) return own;
  for (const Worker& worker : workers_) {
    if (worker.link) return worker.link;
  }
  return nullptr;
}

void Attempt::let_go() {
  if (state_ != State::kCommitting) return;
  enter(State::kEnding);
  for (Worker& worker : workers_) {
    if (worker.link) worker.link->send(EndWorker{});
  }
  arm_kill();
}

void Attempt::stop() {
  if (state_ != State::kCommitting) return;
  enter(State::kEnding);
  for (std::uint32_t w = 0; w < workers_.size(); ++w) {
    if (!workers_[w].gone) services_.task_managers.stop(id_of(w));
  }
}

void Attempt::output_committed(std::uint32_t, OutputCommitted output) {
  listener_.attempt_committed(std::move(output));
}

// All that it had to give is prepared, and others can commit it.
bool Attempt::can_be_spared(const Worker& worker) const {
  return (state_ == State::kFinished || state_ == State::kCommitting) && !committables_.empty() &&
         !worker.commits;
}

// ---- the way down -------------------------------------------------------------------------------

void Attempt::tasks_failed(std::uint32_t, FailureInfo failure) {
  // What is kept, or may have been committed, can't be written a second time.
  const bool fatal =
      (state_ == State::kFinished && !committables_.empty()) ||
      (state_ == State::kCommitting && (!committables_.empty() || has_simple_commits()));
  fail(std::move(failure), fatal);
}

// A connection ends with the process of the peer, or by itself. Which of the two it was its task
// manager tells soon, with signal and last lines: so the end of the process is the reason, if it
// comes. Two that have lost each other both live.
void Attempt::peer_lost(std::uint32_t number, std::uint32_t peer, FailureInfo failure) {
  constexpr std::int64_t kPatienceMs = 30'000;  // more than a stack takes to be symbolised
  if (failed_ || ended_ || state_ == State::kEnding) return;
  if (peer >= workers_.size()) {
    tasks_failed(number, std::move(failure));
  } else if (!lost_peer_) {
    lost_peer_ = LostPeer{number, peer, std::move(failure)};
    peer_timer_ = services_.thread.after_ms(
        takes_rare_path(RarePath::kLostPeerNotAwaited) ? 1 : kPatienceMs, "end of a lost worker",
        alive_.guard([this] { tasks_failed(lost_peer_->by, lost_peer_->failure); }));
  } else if (lost_peer_->by == peer && lost_peer_->worker == number) {
    tasks_failed(lost_peer_->by, lost_peer_->failure);
  }
}

void Attempt::operator_told(std::uint32_t, OperatorTold told) {
  if (told.vertex < plan_.graph().vertices.size()) listener_.attempt_told(std::move(told));
}

// Before anything is committed, as the result must have them all.
void Attempt::tasks_accumulated(std::uint32_t number, TasksAccumulated accumulated) {
  workers_[number].accumulated = accumulated.bytes;
  std::uint64_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.accumulated;
  if (bytes <= kMostAccumulatedBytes) return;
  FailureInfo failure;
  failure.message = "its accumulators of bytes hold " + std::to_string(bytes) +
                    " bytes together, the limit of a job is " +
                    std::to_string(kMostAccumulatedBytes) + ": the largest of " + text_of(number) +
                    " is '" + cut_to(kMostNameBytes, accumulated.largest) +
                    "'; write it to a sink, or hand it out by execute_and_collect()";
  fail(std::move(failure), /*fatal=*/true);
}

void Attempt::tasks_ended(std::uint32_t number, TaskReport report) {
  Worker& worker = workers_[number];
  if (worker.ended) return;
  worker.report = std::move(report);
  worker.ended = true;
  const bool stays = state_ == State::kCommitting && !committables_.empty();
  if (worker.link && !stays) worker.link->send(EndWorker{});
  if (state_ != State::kEnding && !worker.finished) {
    FailureInfo failure;
    failure.message = text_of(number) + " has ended its tasks before they had finished";
    fail(std::move(failure), /*fatal=*/false);
  }
  enter(number, state_ == State::kEnding ? SubtaskState::kCanceled : SubtaskState::kFinished,
        "its tasks have ended");
  settle();
}

// Its end tells which of the two it was, a crash or a lost link: so it is not killed at once.
void Attempt::worker_lost(std::uint32_t number) {
  constexpr std::int64_t kPatienceMs = 2'000;
  workers_[number].link = nullptr;
  const std::int64_t patience_ms = takes_rare_path(RarePath::kLostWorkerStopped) ? 1 : kPatienceMs;
  services_.thread.after_ms(patience_ms, "end of a lost worker", alive_.guard([this, number] {
    if (!workers_[number].gone) services_.task_managers.stop(id_of(number));
  }));
}

void Attempt::worker_ended(std::uint32_t number, FailureInfo how, Blame blame) {
  Worker& worker = workers_[number];
  const bool early = !worker.ended;
  worker.link = nullptr;
  worker.ended = worker.gone = true;
  give_back(worker);
  if (early && can_be_spared(worker)) {
    spdlog::warn("{} {}: another one commits what it has prepared", text_of(number), how.message);
    enter(number, SubtaskState::kFinished, how.message);
  } else if (early && state_ != State::kEnding) {
    enter(number, SubtaskState::kFailed, how.message);
    how.message = text_of(number) + " " + how.message;
    if (blame == Blame::kHost && state_ < State::kOpened) {
      fail(std::move(how), /*fatal=*/false, blame);
      settle();
      return;
    }
    if (worker.commits && state_ == State::kCommitting) {
      how.message =
          with_more(how.message, ", while it committed: a part of its output may be visible");
    }
    tasks_failed(number, std::move(how));
  } else {
    enter(number, SubtaskState::kCanceled, how.message);
  }
  settle();
}

void Attempt::fail(FailureInfo failure, bool fatal, Blame blame) {
  if (failed_ || ended_ || state_ == State::kEnding) return;
  failed_ = true;
  begin_to_end("the attempt has failed");
  listener_.attempt_failed(std::move(failure), fatal, blame);
  settle();
}

void Attempt::cancel(const std::string& reason) {
  if (state_ == State::kEnding || ended_) return;
  begin_to_end(reason);
  settle();
}

// Those that can't be asked are killed; the others, too, if they do not end in time.
void Attempt::begin_to_end(const std::string& reason) {
  const bool deployed = state_ >= State::kDeployed && state_ < State::kEnding;
  const bool stayed = state_ == State::kCommitting && !committables_.empty();
  enter(State::kEnding);
  services_.resources.give_up(holder_);
  for (const auto& timer : {slots_timer_, peer_timer_}) {
    if (timer) services_.thread.cancel(*timer);
  }
  end_readers();
  for (std::uint32_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    if (worker.ended) {
      if (stayed && worker.link) worker.link->send(EndWorker{});
      continue;
    }
    if (!worker.started) {
      enter(w, SubtaskState::kCanceled, reason);
      worker.ended = worker.gone = true;
      give_back(worker);
      continue;
    }
    enter(w, SubtaskState::kCanceling, reason);
    if (deployed && worker.link) {
      worker.link->send(CancelTasks{});
    } else {
      services_.task_managers.stop(id_of(w));
    }
  }
  arm_kill();
}

void Attempt::arm_kill() {
  const std::int64_t patience =
      plan_.configuration().get(options::kTaskCancellationTimeout).ns() / 1'000'000;
  kill_timer_ = services_.thread.after_ms(
      patience, "task cancellation timeout", alive_.guard([this, patience] {
        for (std::uint32_t w = 0; w < workers_.size(); ++w) {
          if (workers_[w].gone) continue;
          spdlog::warn("{} has not ended within {} ms: killed", text_of(w), patience);
          services_.task_managers.stop(id_of(w));
        }
      }));
}

void Attempt::settle() {
  const std::size_t all = workers_.size();
  if (!ended_ && state_ != State::kFinished &&
      count([](const Worker& w) { return w.ended; }) == all &&
      (all > 0 || state_ == State::kEnding)) {
    ended_ = true;
    finished_ = state_ != State::kEnding;
    if (finished_ && committables_.empty()) begin_to_end("");  // arms the kill of what hangs
    end_readers();
    listener_.attempt_ended();
  }
  if (ended_ && !gone_ && count([](const Worker& w) { return w.gone; }) == all) {
    gone_ = true;
    if (kill_timer_) services_.thread.cancel(*kill_timer_);
    listener_.attempt_gone();
  }
}

// ---- what is asked ------------------------------------------------------------------------------

std::string Attempt::detail() const {
  switch (state_) {
    case State::kWaiting:
      return "waits for slots: " + services_.resources.shortage(plan_.slots());
    case State::kStarting:
      return std::to_string(count([](const Worker& w) { return w.ready; })) + " of " +
             std::to_string(workers_.size()) + " workers are ready";
    case State::kDeployed:
      return std::to_string(count([](const Worker& w) { return w.opened; })) + " of " +
             std::to_string(workers_.size()) + " workers have opened their tasks";
    case State::kCreated:
    case State::kOpened:
    case State::kFinished:
    case State::kCommitting:
    case State::kEnding:
      break;
  }
  return "";
}

std::vector<SubtaskDetails> Attempt::subtasks() const {
  std::vector<SubtaskDetails> all;
  for (std::uint32_t place = 0; place < plan_.execution().subtasks().size(); ++place) {
    const auto& id = plan_.execution().subtasks()[place];
    SubtaskDetails details;
    details.vertex_id =
        plan_.graph().vertices[plan_.graph().tasks[id.task].links.front().vertices.front()].id;
    details.subtask = id.subtask;
    details.state = name_of(subtasks_.of(place));
    details.attempt = number_;
    if (!worker_of_subtask_.empty()) {
      details.worker = worker_of_subtask_[place];
      details.host = hosts_[details.worker];
    }
    all.push_back(std::move(details));
  }
  return all;
}

Future<std::vector<TaskReport>> Attempt::reports() {
  struct Gathering {
    std::vector<TaskReport> reports;
    std::size_t open = 1;
    Promise<std::vector<TaskReport>> promise;
    void one_less() {
      if (--open == 0) promise.set_value(std::move(reports));
    }
  };
  // Of one that has finished all reports are needed, however slow a worker is; a link that is lost
  // answers for it.
  std::int64_t patience_ms = state_ == State::kFinished ? 0 : 2'000;
  if (patience_ms > 0 && takes_rare_path(RarePath::kReportNotAwaited)) patience_ms = 1;
  const auto gathering = std::make_shared<Gathering>();
  auto future = gathering->promise.future();
  for (const Worker& worker : workers_) {
    if (worker.report) {
      gathering->reports.push_back(*worker.report);
    } else if (worker.link && worker.opened) {
      ++gathering->open;
      const auto ignored = worker.link->ask(GetReport{}, patience_ms)
                               .then([gathering](const Future<TaskReport>& done) {
                                 if (error_of(done).empty()) {
                                   gathering->reports.push_back(done.get());
                                 }
                                 gathering->one_less();
                               });
      static_cast<void>(ignored);
    }
  }
  gathering->one_less();
  return future;
}

Future<Address> Attempt::admit_reader(std::uint32_t vertex, const PublicKey& reader) {
  Promise<Address> promise;
  auto future = promise.future();
  if (state_ == State::kEnding) {
    promise.set_value(Address{});
    return future;
  }
  Reader waiting{vertex, reader, std::move(promise)};
  admit(std::move(waiting));
  return future;
}

// Null until slots are there.
const Attempt::Worker* Attempt::worker_of(std::uint32_t vertex) const {
  if (worker_of_subtask_.empty()) return nullptr;
  const std::uint32_t task = plan_.execution().task_of_vertex(vertex);
  return &workers_[worker_of_subtask_[plan_.execution().place_of(task, 0)]];
}

Address Attempt::data_of(std::uint32_t vertex) const {
  const Worker* worker = worker_of(vertex);
  return worker ? worker->data : Address{};
}

void Attempt::admit(Reader reader) {
  const Worker* worker = worker_of(reader.vertex);
  if (!worker || !worker->link) {
    readers_.push_back(std::move(reader));
    return;
  }
  const auto promise = std::make_shared<Promise<Address>>(std::move(reader.promise));
  alive_.on_done(worker->link->ask(AdmitReader{reader.key}),
                 [promise, data = worker->data](const Future<Done>& done) {
                   promise->set_value(error_of(done).empty() ? data : Address{});
                 });
}

void Attempt::end_readers() {
  std::vector<Reader> readers = std::move(readers_);
  readers_.clear();
  for (Reader& reader : readers) reader.promise.set_value(Address{});
}

// ---- inside -------------------------------------------------------------------------------------

void Attempt::give_back(Worker& worker) {
  for (const SlotId& slot : worker.slots) services_.resources.release(holder_, slot);
}

void Attempt::enter(State state) {
  move_state("attempt " + std::to_string(number_) + " of job '" + plan_.graph().name + "'", state_,
             state);
}

void Attempt::enter(std::uint32_t worker, SubtaskState state, const std::string& reason) {
  for (const std::uint32_t place : workers_[worker].subtasks) {
    subtasks_.enter_unless_ended(place, state, reason);
  }
}

WorkerId Attempt::id_of(std::uint32_t worker) const { return {plan_.graph().id, number_, worker}; }

std::string Attempt::text_of(std::uint32_t worker) const {
  return "worker " + std::to_string(worker) + " of job '" + plan_.graph().name + "' on " +
         hosts_[worker];
}

template <class Flag>
std::size_t Attempt::count(Flag flag) const {
  return static_cast<std::size_t>(std::count_if(workers_.begin(), workers_.end(), flag));
}

}  // namespace freshet::core
