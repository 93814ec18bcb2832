#include "resource_manager/task_managers.h"

#include <algorithm>
#include <cassert>

#include "bounds/failure_text.h"
#include "process/process_spawner.h"

namespace freshet::core {
namespace {

std::string how_it_ended(const WorkerEnded& message) {
  if (!message.error.empty()) return "could not be started: " + message.error;
  ProcessEnd end;
  end.exit_code = message.exit_code;
  end.signal = message.signal;
  end.killed_because = message.killed_because;
  std::string text = end.text() + message.crash.message;
  if (!message.last_lines.empty())
    text += "; its last lines: " + as_text_of_failure(message.last_lines);
  return FailureText{std::move(text), message.threads}.join();
}

bool is_link_lost(const Future<StartWorker::Answer>& done) {
  try {
    static_cast<void>(done.get());
  } catch (const LinkLost&) {
    return true;
  } catch (const std::exception&) {
  }
  return false;
}

}  // namespace

TaskManagers::TaskManagers(ControlThread& thread, ResourceManager& resources, Transport& transport,
                           IdSource& ids)
    : thread_(thread), resources_(resources), transport_(transport), ids_(ids) {}
TaskManagers::~TaskManagers() = default;

void TaskManagers::add_to(MessageTable& table) {
  table.on<RegisterTaskManager>(
      [this](Link& link, const RegisterTaskManager& message) { return registered(link, message); });
  table.on<TaskManagerEnds>(
      [this](Link& link, const TaskManagerEnds& message) { begins_to_end(link, message); });
  table.on<WorkerEnded>([this](Link& link, const WorkerEnded& message) { ended(link, message); });
  table.on<WorkerReady>([this](Link& link, const WorkerReady& message) { ready(link, message); });
  // What tasks say is for whoever asked for their worker; nobody, once it counts as gone.
  const auto tell = [this](Link& link, auto&& what) {
    const WorkerId* id = worker_of(link);
    if (!id) return;
    const Worker& worker = workers_.at(*id);
    if (worker.events) what(*worker.events, id->number);
  };
  table.on<TasksOpened>([tell](Link& link, const TasksOpened&) {
    tell(link, [](WorkerEvents& events, std::uint32_t number) { events.tasks_opened(number); });
  });
  table.on<TasksFinished>([tell](Link& link, const TasksFinished& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      events.tasks_finished(number, {message.committables, message.commits});
    });
  });
  table.on<TasksFailed>([tell](Link& link, const TasksFailed& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      if (message.lost_worker) {
        events.peer_lost(number, *message.lost_worker, message.failure);
      } else {
        events.tasks_failed(number, message.failure);
      }
    });
  });
  table.on<TasksAccumulated>([tell](Link& link, const TasksAccumulated& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      events.tasks_accumulated(number, message);
    });
  });
  table.on<OperatorTold>([tell](Link& link, const OperatorTold& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      events.operator_told(number, message);
    });
  });
  table.on<OutputCommitted>([tell](Link& link, const OutputCommitted& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      events.output_committed(number, message);
    });
  });
  table.on<TasksEnded>([tell](Link& link, const TasksEnded& message) {
    tell(link, [&](WorkerEvents& events, std::uint32_t number) {
      events.tasks_ended(number, message.report);
    });
  });
}

// ---- task managers ------------------------------------------------------------------------------

Done TaskManagers::registered(Link& link, const RegisterTaskManager& message) {
  if (ending_) {
    link.send(EndTaskManager{"the cluster is being shut down"});
    throw InvalidInput("the cluster is being shut down: it takes no task manager");
  }
  if (const std::string* why = let_go_.find(message.id)) {
    link.send(EndTaskManager{*why});
    throw InvalidInput("task manager '" + message.id + "' has been let go: " + *why);
  }
  if (message.slots == 0) {
    throw InvalidInput("task manager '" + message.id +
                       "' offers no slots: set taskmanager.slots to 1 or more");
  }
  const auto before = managers_.find(message.id);
  if (before != managers_.end()) {
    if (before->second.link == &link) return {};
    manager_lost(message.id, "it has registered anew");
  }
  log_.info("task manager '" + message.id + "' on " + message.host + " offers " +
            std::to_string(message.slots) + " slots");
  managers_[message.id] = {&link, message.host, message.process_id, message.slots,
                           message.meeting_place};
  resources_.offer(message.id, message.slots);
  return {};
}

void TaskManagers::link_lost(Link& link, const std::string& reason) {
  for (const auto& [id, manager] : managers_) {
    if (manager.link != &link) continue;
    manager_lost(std::string(id), reason);
    return;
  }
  if (const WorkerId* found = worker_of(link)) {
    const WorkerId id = *found;
    Worker& worker = workers_.at(id);
    worker.link = nullptr;
    worker.lost = reason;
    if (worker.events) {
      worker.events->worker_lost(id.number);
    } else {
      stop(id);
    }
  }
}

void TaskManagers::manager_lost(const std::string& id, const std::string& reason) {
  log_.warn("task manager '" + id + "' is lost: " + reason);
  const Manager& manager = managers_.at(id);
  const std::string how = lost_with(id, manager.ends.empty() ? reason : manager.ends);
  // First: what its workers held must not be granted again.
  resources_.withdraw(id);
  managers_.erase(id);
  std::vector<WorkerId> workers;
  for (const auto& [worker, state] : workers_) {
    if (state.manager == id) workers.push_back(worker);
  }
  for (const WorkerId& worker : workers) {
    worker_is_gone(worker, how, Blame::kHost);
  }
}

std::string TaskManagers::lost_with(const std::string& id, const std::string& reason) const {
  return "is lost with task manager '" + id + "' on " + managers_.at(id).host + ": " + reason;
}

void TaskManagers::begins_to_end(Link& link, const TaskManagerEnds& message) {
  if (ending_ || hears_no_ends_) return;
  for (auto& [id, manager] : managers_) {
    if (manager.link != &link) continue;
    log_.info("task manager '" + id + "' begins to end: " + message.reason);
    manager.ends = "it ends: " + message.reason;
    resources_.withdraw(id);
    return;
  }
}

void TaskManagers::rest(const std::string& id, const std::string& reason) {
  constexpr std::int64_t kFirstRestMs = 1'000;
  constexpr std::uint32_t kMostDoublings = 6;
  Manager& manager = managers_.at(id);
  const std::int64_t rest_ms = kFirstRestMs << std::min(manager.failed_starts++, kMostDoublings);
  log_.warn("task manager '" + id + "' could not start a worker: it is given none for " +
            std::to_string(rest_ms) + " ms");
  resources_.pause(id, reason);
  // The last of those that failed at once counts.
  thread_.after_ms(rest_ms, "rest of a task manager",
                   alive_.guard([this, id, link = manager.link, failed = manager.failed_starts] {
                     const auto found = managers_.find(id);
                     if (found == managers_.end() || found->second.link != link) return;
                     const std::uint32_t now = found->second.failed_starts;
                     if (now == failed || now == 0) resources_.resume(id);
                   }));
}

bool TaskManagers::is_idle(const std::string& id) const {
  return resources_.is_idle(id) &&
         std::none_of(workers_.begin(), workers_.end(),
                      [&](const auto& worker) { return worker.second.manager == id; });
}

std::vector<std::string> TaskManagers::release(const std::vector<std::string>& names,
                                               std::uint32_t count) {
  if (ending_) throw InvalidInput("the cluster is being shut down: it ends all task managers");
  std::vector<std::string> released;
  const auto take = [&](auto may_go) {
    for (const std::string& name : names) {
      if (released.size() >= count) return;
      if (may_go(name) && std::find(released.begin(), released.end(), name) == released.end())
        released.push_back(name);
    }
  };
  take([this](const std::string& name) { return let_go_.find(name) != nullptr; });
  take([this](const std::string& name) { return !has(name); });
  take([this](const std::string& name) { return is_idle(name); });
  for (const std::string& name : released) let_go(name, "its deployer takes it away");
  return released;
}

void TaskManagers::let_go(const std::string& id, const std::string& reason) {
  if (let_go_.find(id)) return;
  let_go_.put(id, reason);
  const auto found = managers_.find(id);
  if (found == managers_.end()) return;
  assert(is_idle(id) && "no job loses a worker without being told");
  log_.info("task manager '" + id + "' is let go: " + reason);
  found->second.link->send(EndTaskManager{reason});
  managers_.erase(found);
  resources_.withdraw(id);
}

const std::string& TaskManagers::host_of(const std::string& task_manager) const {
  static const std::string kNowhere = "a host that is lost";
  const auto found = managers_.find(task_manager);
  return found == managers_.end() ? kNowhere : found->second.host;
}

bool TaskManagers::meet(const std::string& one, const std::string& other) const {
  if (one == other) return true;
  const auto first = managers_.find(one), second = managers_.find(other);
  // Hosts of one name are not always one, as containers show.
  return first != managers_.end() && second != managers_.end() &&
         first->second.host == second->second.host &&
         first->second.meeting_place == second->second.meeting_place;
}

std::vector<TaskManagerInfo> TaskManagers::infos() const {
  std::vector<TaskManagerInfo> infos;
  for (const auto& [id, manager] : managers_) {
    TaskManagerInfo info;
    info.id = id;
    info.host = manager.host;
    info.process_id = manager.process_id;
    info.slots = manager.slots;
    info.free_slots = resources_.free_of(id);
    for (const auto& [worker, state] : workers_) {
      if (state.manager == id && state.process_id)
        info.worker_processes.push_back(state.process_id);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

Link* TaskManagers::link_for_log(const std::string& process) const {
  if (const auto found = managers_.find(process); found != managers_.end()) {
    return found->second.link;
  }
  const std::string* log = manager_of_log_.find(process);
  if (!log) return nullptr;
  const auto manager = managers_.find(*log);
  return manager == managers_.end() ? nullptr : manager->second.link;
}

void TaskManagers::end_all(const std::string& reason) {
  ending_ = true;
  for (const auto& [id, manager] : managers_) manager.link->send(EndTaskManager{reason});
}

// ---- workers ------------------------------------------------------------------------------------

void TaskManagers::start(const std::string& task_manager, StartWorker message,
                         WorkerEvents& events) {
  const WorkerId id = message.worker;
  const KeyPair keys = ids_.draw_keys();
  message.public_key = keys.public_key;
  message.secret_key = keys.secret_key;
  Worker worker;
  worker.manager = task_manager;
  worker.events = &events;
  worker.key = keys.public_key;
  workers_.emplace(id, std::move(worker));
  manager_of_log_.put(id.job + ":" + std::to_string(id.number), task_manager);
  transport_.admit(keys.public_key, Role::kWorker);
  const auto manager = managers_.find(task_manager);
  if (manager == managers_.end()) {
    worker_is_gone(id, "could not be started: task manager '" + task_manager + "' is lost",
                   Blame::kHost);
    return;
  }
  alive_.on_done(manager->second.link->ask(message), [this, id](const auto& done) {
    const auto found = workers_.find(id);
    if (found == workers_.end()) return;
    const std::string error = error_of(done);
    if (error.empty()) {
      // Most often it is not known yet, and the worker says it itself.
      if (const std::int64_t id_of_process = done.get().process_id; id_of_process != 0)
        found->second.process_id = id_of_process;
    } else if (managers_.count(found->second.manager) && !is_link_lost(done)) {
      const std::string how = "could not be started: " + error;
      rest(found->second.manager, how);
      worker_is_gone(id, how, Blame::kHost);
    }  // else manager_lost() comes next
  });
}

void TaskManagers::stop(const WorkerId& id) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  worker->second.stopped = true;
  const auto manager = managers_.find(worker->second.manager);
  if (manager != managers_.end()) manager->second.link->send(StopWorker{id});
}

void TaskManagers::abandon(const WorkerId& id) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  worker->second.events = nullptr;
  stop(id);
}

void TaskManagers::ready(Link& link, const WorkerReady& message) {
  const auto found = workers_.find(message.worker);
  const std::string& key = link.peer().key;
  if (found == workers_.end() || (!key.empty() && key != found->second.key)) {
    // Of an attempt that is over, or nobody of ours.
    link.close("worker " + message.worker.text() + " is not expected");
    return;
  }
  found->second.link = &link;
  found->second.process_id = message.process_id;
  if (const auto manager = managers_.find(found->second.manager); manager != managers_.end())
    manager->second.failed_starts = 0;
  if (found->second.events) {
    found->second.events->worker_ready(message.worker.number, link, message.data);
  }
}

void TaskManagers::ended(Link& link, const WorkerEnded& message) {
  const auto found = workers_.find(message.worker);
  if (found == workers_.end()) return;
  const auto manager = managers_.find(found->second.manager);
  if (manager == managers_.end() || manager->second.link != &link) return;
  std::string how = how_it_ended(message);
  // We have killed it, since its link was lost: that is the reason.
  if (!found->second.lost.empty() && found->second.stopped && message.signal == 9 &&
      message.killed_because.empty()) {
    how = "the link to it was lost: " + found->second.lost;
  }
  // Before it was ready it had nothing of its job but its name, so no user code has run: whatever
  // ended it, such as a loader without descriptors, is of its host. Its limit of memory is the
  // user's.
  const bool ended_early = message.error.empty() && !found->second.link &&
                           found->second.lost.empty() && message.killed_because.empty();
  FailureInfo failure = message.crash;
  failure.message = std::move(how);
  Blame blame = Blame::kJob;
  const bool host_failed = message.host_failed || ended_early;
  // As it ends, it kills those that run and starts none.
  if (!manager->second.ends.empty() && (message.signal == 9 || host_failed)) {
    failure.message = lost_with(manager->first, manager->second.ends);
    blame = Blame::kHost;
  } else if (host_failed && !found->second.stopped) {
    rest(manager->first, failure.message);
    blame = Blame::kHost;
  }
  worker_is_gone(message.worker, std::move(failure), blame);
}

void TaskManagers::worker_is_gone(const WorkerId& id, const std::string& how, Blame blame) {
  FailureInfo failure;
  failure.message = how;
  worker_is_gone(id, std::move(failure), blame);
}

void TaskManagers::worker_is_gone(const WorkerId& id, FailureInfo how, Blame blame) {
  const auto found = workers_.find(id);
  const Worker worker = found->second;
  workers_.erase(found);
  if (blames_jobs_) blame = Blame::kJob;
  if (worker.link) worker.link->close("the worker has ended");
  transport_.expel(worker.key);
  if (worker.events) worker.events->worker_ended(id.number, std::move(how), blame);
}

const WorkerId* TaskManagers::worker_of(Link& link) const {
  const auto found = std::find_if(workers_.begin(), workers_.end(),
                                  [&](const auto& worker) { return worker.second.link == &link; });
  return found == workers_.end() ? nullptr : &found->first;
}

}  // namespace freshet::core
