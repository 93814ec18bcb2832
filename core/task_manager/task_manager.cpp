#include "task_manager/task_manager.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "messages/child_starts.h"
#include "network/endpoint.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {
namespace {

constexpr std::int64_t kLookAgainMs = 100;

}  // namespace

TaskManager::TaskManager(TaskManagerServices services, TaskManagerOptions options, OnEnd on_end)
    : services_(std::move(services)),
      options_(std::move(options)),
      on_end_(std::move(on_end)),
      sweep_(services_.thread, services_.blobs, options_.blob_max_idle_ms,
             [this] { return needed_files(); }) {
  add_to_table();
  PeerInfo self;
  self.role = Role::kTaskManager;
  self.name = "task manager " + options_.id;
  self.incarnation = options_.incarnation.empty() ? services_.ids.draw() : options_.incarnation;
  links_ = std::make_unique<Links>(services_.thread, services_.transport, self, options_.links);
}

TaskManager::~TaskManager() {
  alive_.end();
  sweep_.stop();
  links_.reset();
  for (const auto& [id, worker] : workers_) {
    if (worker.process) services_.spawner.kill(*worker.process);
  }
}

void TaskManager::add_to_table() {
  table_.on<StartWorker>(
      [this](Link&, const StartWorker& message) { return start_worker(message); });
  table_.on<StopWorker>([this](Link&, const StopWorker& message) { stop_worker(message.worker); });
  table_.on<EndTaskManager>([this](Link&, const EndTaskManager& message) { end(message.reason); });
  table_.on<ReadLog>([this](Link&, const ReadLog& message) { return read_log(message); });
}

// ---- the job manager ----------------------------------------------------------------------------

void TaskManager::start() {
  alone_since_ns_ = services_.thread.clock().now_ns();
  connect();
}

void TaskManager::connect() {
  if (!ending_.empty() || link_) return;
  const std::int64_t waited_ms = (services_.thread.clock().now_ns() - alone_since_ns_) / 1'000'000;
  if (waited_ms >= options_.patience_ms) {
    end("no job manager took task manager '" + options_.id + "' within " +
        std::to_string(options_.patience_ms) + " ms");
    return;
  }
  const Address address = services_.job_manager();
  if (address.endpoint.empty()) {
    look_again();
    return;
  }
  LinkListener& listener = *this;
  // A job manager that comes back may be somewhere else: it is looked for anew every second.
  constexpr std::int64_t kPatienceMs = 1'000;
  link_ = &links_->connect(address, table_, listener, kPatienceMs);
}

void TaskManager::look_again() {
  const bool late = takes_rare_path(RarePath::kLooksForLeaderLate);
  services_.thread.after_ms(late ? 10 * kLookAgainMs : kLookAgainMs, "task manager: look again",
                            alive_.guard([this] { connect(); }));
}

void TaskManager::link_opened(Link& link) {
  RegisterTaskManager message;
  message.id = options_.id;
  message.host = options_.host;
  message.process_id = options_.process_id;
  message.slots = options_.slots;
  message.meeting_place = options_.meeting_place;
  alive_.on_done(link.ask(message), [this, session = ++session_](const auto& done) {
    if (session != session_ || !link_) return;
    const std::string error = error_of(done);
    if (error.empty()) {
      alone_ = false;
      job_manager_log_.info("task manager '" + options_.id + "' is registered with " +
                            link_->peer().name);
    } else {
      job_manager_log_.warn("task manager '" + options_.id + "' is refused: " + error);
    }
  });
}

void TaskManager::link_lost(Link& link, const std::string& reason) {
  const bool replaced = link.replaced();
  link_ = nullptr;
  ++session_;
  if (!alone_) {
    alone_ = true;
    alone_since_ns_ = services_.thread.clock().now_ns();
    job_manager_log_.warn("task manager '" + options_.id + "' has lost its job manager, and ends " +
                          std::to_string(workers_.size()) + " workers: " + reason);
  }
  fetches_.clear();
  if (replaced) {  // to register anew would push out the other one, which would do the same
    replaced_ = true;
    end("another task manager '" + options_.id + "' has taken its place: give each its own --name");
  }
  stop_all();
  if (workers_.empty()) look_again();  // else once they have ended
  check_end();
}

// ---- workers ------------------------------------------------------------------------------------

StartWorker::Answer TaskManager::start_worker(const StartWorker& message) {
  if (!ending_.empty()) throw InvalidInput("task manager '" + options_.id + "' ends: " + ending_);
  StartWorker::Answer answer;
  const auto [found, is_new] = workers_.emplace(message.worker, Worker{});
  if (!is_new) {
    if (found->second.process) {
      answer.process_id = services_.spawner.process_id(*found->second.process);
    }
    return answer;
  }
  found->second.start = message;
  prepare(message.worker);
  const auto still = workers_.find(message.worker);
  if (still != workers_.end() && still->second.process) {
    answer.process_id = services_.spawner.process_id(*still->second.process);
  }
  return answer;
}

// Fetches the first file that is missing, or starts it.
void TaskManager::prepare(const WorkerId& id) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  try {
    for (const JobModule& module : found->second.start.modules) {
      if (services_.blobs.has(module.sha256)) continue;
      const bool under_way = fetches_.count(module.sha256) != 0;
      fetches_[module.sha256].waiting.push_back(id);
      if (!under_way) fetch(module.sha256);
      return;
    }
    spawn(id);
  } catch (const std::exception& error) {
    WorkerEnded message;
    message.error = error.what();
    message.host_failed = true;
    ended(id, std::move(message));
  }
}

void TaskManager::fetch(const std::string& sha256) {
  Fetch& fetch = fetches_.at(sha256);
  GetBlob message;
  message.sha256 = sha256;
  message.offset = fetch.writer ? fetch.writer->received() : 0;
  alive_.on_done(link_->ask(message), [this, sha256, session = session_](const auto& done) {
    if (session != session_) return;
    const auto found = fetches_.find(sha256);
    if (found == fetches_.end()) return;
    bool host_failed = false;
    try {
      const GetBlob::Answer answer = done.get();
      host_failed = true;  // from here on it is this host that fails, as with a full disk
      if (!found->second.writer) found->second.writer = services_.blobs.begin(sha256, answer.size);
      BlobWriter& writer = *found->second.writer;
      if (answer.bytes.empty() && writer.received() < writer.size()) {
        throw InvalidInput("file " + sha256 + " ends after " + std::to_string(writer.received()) +
                           " of " + std::to_string(writer.size()) + " bytes");
      }
      writer.append(answer.bytes);
      if (writer.received() < writer.size()) {
        if (takes_rare_path(RarePath::kFetchBegunAgain)) found->second.writer.reset();
        this->fetch(sha256);
        return;
      }
      writer.finish();
    } catch (const std::exception& error) {
      fetched(sha256, error.what(), host_failed);
      return;
    }
    fetched(sha256, "", false);
  });
}

void TaskManager::fetched(const std::string& sha256, const std::string& error, bool host_failed) {
  const auto done = fetches_.extract(sha256);
  for (const WorkerId& id : done.mapped().waiting) {
    if (error.empty()) {
      prepare(id);
    } else if (workers_.count(id)) {
      WorkerEnded message;
      message.error = "a module could not be fetched: " + error;
      message.host_failed = host_failed;
      ended(id, std::move(message));
    }
  }
}

void TaskManager::spawn(const WorkerId& id) {
  Worker& worker = workers_.at(id);
  WorkerStart start;
  start.cluster_id = options_.cluster_id;
  start.job_manager = services_.job_manager();
  start.secret_key = worker.start.secret_key;
  start.worker = id;
  start.job_name = worker.start.job_name;
  start.slots = worker.start.slots;
  // A client of another host can't reach a socket file.
  const bool is_reached_from_elsewhere =
      !Endpoint{Endpoint::Kind::tcp, options_.bind, 0, {}}.is_loopback();
  start.one_host = worker.start.one_host && !(worker.start.collects && is_reached_from_elsewhere);
  start.socket_folder = options_.socket_folder;
  start.host = options_.bind;
  start.told_host = options_.told_host;
  start.modules = services_.blobs.place(worker.start.modules);
  for (const JobModule& module : worker.start.modules) sweep_.used(module.sha256);
  start.settings = worker.start.settings;
  start.settings.insert(options_.settings.begin(), options_.settings.end());
  ProcessSpec spec = worker_process(options_.program, start);
  last_worker_log_.put(id.job + ":" + std::to_string(id.number), spec.name);
  worker.process =
      services_.spawner.spawn(std::move(spec), alive_.guard([this, id](ProcessEnd end) {
        WorkerEnded message;
        message.exit_code = end.exit_code;
        message.signal = end.signal;
        message.last_lines = std::move(end.last_lines);
        if (end.crash) {
          message.crash = {end.crash->operator_name, end.crash->subtask, end.crash->record,
                           end.crash->circumstances + end.crash->stack};
          message.threads = std::move(end.crash->threads);
        }
        message.killed_because = std::move(end.killed_because);
        if (!end.exit_code && !end.signal) {
          message.error = message.last_lines;
          message.host_failed = true;
        }
        ended(id, std::move(message));
      }));
}

std::set<std::string> TaskManager::needed_files() const {
  std::set<std::string> files;
  for (const auto& [id, worker] : workers_) {
    for (const JobModule& module : worker.start.modules) files.insert(module.sha256);
  }
  return files;
}

void TaskManager::stop_worker(const WorkerId& id) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  if (found->second.process) {
    services_.spawner.kill(*found->second.process);
    return;
  }
  // It waits for its files.
  WorkerEnded message;
  message.error = "it was stopped before it was started";
  message.host_failed = true;  // nobody but the job's own end or this host asks for that
  ended(id, std::move(message));
}

void TaskManager::ended(const WorkerId& id, WorkerEnded message) {
  if (workers_.erase(id) == 0) return;
  message.worker = id;
  // Who is looked for only once all workers have ended: it is of this job manager if there is one,
  // though the answer to our registration may still be under way.
  if (link_) {
    link_->send(message);
  } else if (workers_.empty()) {
    connect();
  }
  check_end();
}

void TaskManager::stop_all() {
  std::vector<WorkerId> ids;
  for (const auto& [id, worker] : workers_) ids.push_back(id);
  for (const WorkerId& id : ids) stop_worker(id);
}

LogChunk TaskManager::read_log(const ReadLog& message) const {
  if (message.process == options_.id) {
    return services_.spawner.read_log(options_.id, message.from);
  }
  const std::string* found = last_worker_log_.find(message.process);
  if (!found) {
    throw InvalidInput("task manager '" + options_.id + "' has no log of '" + message.process +
                       "'");
  }
  return services_.spawner.read_log(*found, message.from);
}

// ---- its end ------------------------------------------------------------------------------------

void TaskManager::end(const std::string& why) {
  if (!ending_.empty()) return;
  spdlog::info("task manager '{}' ends: {}", options_.id, why);
  ending_ = why;
  // First, so that no slot of a worker that is killed here is granted again.
  if (link_) link_->send(TaskManagerEnds{why});
  stop_all();
  check_end();
}

void TaskManager::check_end() {
  if (ended_ || ending_.empty() || !workers_.empty()) return;
  ended_ = true;
  services_.thread.post("task manager: ended", alive_.guard([this] {
    if (link_) {
      link_->close("task manager '" + options_.id + "' ends");
      link_ = nullptr;
    }
    OnEnd on_end = std::move(on_end_);
    on_end(ending_);
  }));
}

}  // namespace freshet::core
