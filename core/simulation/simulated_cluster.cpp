#include "simulation/simulated_cluster.h"

#include <cassert>

#include "high_availability/no_high_availability.h"
#include "security/sha256.h"
#include "simulation/simulated_bodies.h"

namespace freshet::core {
namespace {

const ProcessEnd kNoStart = [] {
  ProcessEnd end;
  end.last_lines = "no such program";
  return end;
}();

}  // namespace

const std::string& SimulatedCluster::module_content() {
  // More than one chunk.
  static const std::string kContent(kBlobChunk + 1'000, 'm');
  return kContent;
}

std::string SimulatedCluster::module_sha256() {
  static const std::string kSha256 = Sha256::of(module_content()).hex();
  return kSha256;
}

SimulatedCluster::SimulatedCluster(SimulatedClusterOptions options)
    : options_(options),
      random_(options.seed),
      rare_paths_(~options.seed, options.rare_paths),  // not drawn: all else happens as without
      thread_(random_.draw()),
      network_(random_.draw(), thread_),
      ids_(random_.draw()),
      job_manager_keys_(ids_.draw_keys()),
      client_keys_(ids_.draw_keys()) {
  for (std::uint32_t i = 0; i < options_.task_managers; ++i) {
    task_manager_keys_.push_back(ids_.draw_keys());
    deployed_.push_back(i);
  }
  for (std::uint32_t i = 0; i < options_.job_managers; ++i) start_job_manager(i);
  for (std::uint32_t i = 0; i < options_.task_managers; ++i) start_task_manager(i);
}

SimulatedCluster::~SimulatedCluster() {
  for (auto& [name, life] : lives_) life->end_now();
  while (!lives_.empty()) {
    network_.crash(lives_.begin()->first);
    lives_.erase(lives_.begin());
  }
}

// ---- time ---------------------------------------------------------------------------------------

bool SimulatedCluster::run_until(const std::function<bool()>& done, std::int64_t at_most_ms) {
  return thread_.run_until(
      [&] {
        ++steps_;
        while (reap()) thread_.run_until_idle();
        return done();
      },
      at_most_ms);
}

void SimulatedCluster::run_for(std::int64_t milliseconds) {
  run_until([] { return false; }, milliseconds);
}

std::int64_t SimulatedCluster::now_ms() const { return thread_.clock().now_ns() / 1'000'000; }

std::int64_t SimulatedCluster::delay_ms(std::uint64_t at_most) {
  return static_cast<std::int64_t>(random_.below(at_most + 1));
}

void SimulatedCluster::trace(const std::string& what) {
  constexpr std::uint64_t kPrime = 0x100000001b3u;  // FNV-1a
  const auto add = [this](const std::string& text) {
    for (const char c : text) {
      trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(c)) * kPrime;
    }
  };
  add(std::to_string(thread_.clock().now_ns()));
  add(what);
}

void SimulatedCluster::breach(const std::string& what) {
  trace("breach: " + what);
  breaches_.push_back("at " + std::to_string(now_ms()) + " ms: " + what);
}

// ---- processes ----------------------------------------------------------------------------------

SimulatedCluster::Life& SimulatedCluster::begin(const std::string& name, const std::string& kind,
                                                const std::string& parent) {
  auto life = std::make_unique<Life>();
  life->name = name;
  life->kind = kind;
  life->parent = parent;
  life->thread = thread_.process(name);
  trace("begin " + name);
  const auto [added, is_new] = lives_.emplace(name, std::move(life));
  assert(is_new && "a process ends before its next life begins");
  static_cast<void>(is_new);
  return *added->second;
}

Transport& SimulatedCluster::connect(Life& life, const PublicKey& key) {
  return network_.node(life.name, *life.thread, key);
}

void SimulatedCluster::end(const std::string& name, ProcessEnd how, bool silently) {
  const auto found = lives_.find(name);
  if (found == lives_.end() || found->second->ended) return;
  found->second->ended = std::move(how);
  found->second->silently = silently;
}

// Takes down what has ended, with its children, and tells its parent. False: there was nothing.
bool SimulatedCluster::reap() {
  std::string name;
  for (const auto& [each, life] : lives_) {
    if (life->ended) name = each;
  }
  if (name.empty()) return false;
  auto life = std::move(lives_.at(name));
  lives_.erase(name);
  trace("end " + name + " " + life->ended->text());
  ProcessEnd killed;
  killed.signal = 9;
  for (const auto& [each, child] : lives_) {
    if (child->parent == name && !child->ended) end(each, killed, life->silently);
  }
  network_.crash(name, life->silently);
  life->end_now();
  if (life->worker && !life->silently) {
    for (const auto& [each, other] : lives_) {
      if (other->body && !other->ended) other->body->worker_ended(*life->worker);
    }
  }
  const auto parent = lives_.find(life->parent);
  if (parent != lives_.end() && life->on_end && !parent->second->ended) {
    parent->second->thread->after_ms(
        delay_ms(5), "end of " + name,
        [on_end = std::move(life->on_end), how = *life->ended]() mutable { on_end(how); });
  }
  return true;
}

void SimulatedCluster::spawn_child(Life& parent, ProcessHandle handle, ProcessSpec spec,
                                   detail::UniqueFunction<void(ProcessEnd)> on_end) {
  const bool is_worker = spec.command.at(1) == "worker";
  const std::string name = spec.name + "#" + std::to_string(handle);
  Life& life = begin(name, is_worker ? "worker" : "runner", parent.name);
  life.handle = handle;
  life.on_end = std::move(on_end);
  const bool drawn = options_.starts_fail_one_in > 0 && random_.one_in(options_.starts_fail_one_in);
  const auto full = full_.find(parent.name);
  if (drawn || full != full_.end()) {
    const ProcessEnd end = full != full_.end() ? full->second : kNoStart;
    life.thread->after_ms(delay_ms(3), "no start", [this, name, end] { this->end(name, end); });
    if (is_worker) check_slots(parent);
    return;
  }
  if (is_worker) {
    const WorkerStart start = read_worker_start(spec.inherited);
    life.slots = start.slots;
    life.worker = start.worker;
    begun_.insert(start.worker.job);
    check_slots(parent);
    life.thread->after_ms(delay_ms(20), "start",
                          [this, name, start] { start_worker(name, start); });
  } else {
    life.thread->after_ms(
        delay_ms(20), "start",
        [this, name, start = read_runner_start(spec.inherited)] { start_runner(name, start); });
  }
}

void SimulatedCluster::check_slots(const Life& task_manager) {
  std::uint32_t taken = 0;
  for (const auto& [name, life] : lives_) {
    if (life->parent == task_manager.name && !life->ended) taken += life->slots;
  }
  if (taken > options_.slots) {
    breach("the workers of " + task_manager.name + " hold " + std::to_string(taken) + " of its " +
           std::to_string(options_.slots) + " slots");
  }
}

void SimulatedCluster::start_worker(const std::string& name, const WorkerStart& start) {
  Life& life = *lives_.at(name);
  Transport& transport = connect(life, public_half(start.secret_key));
  life.body =
      std::make_unique<WorkerBody>(*life.thread, transport, draw(), ids_, start, link_options(),
                                   [this, name](ProcessEnd how) { end(name, std::move(how)); });
}

void SimulatedCluster::start_runner(const std::string& name, const RunnerStart& start) {
  Life& life = *lives_.at(name);
  Transport& transport = connect(life, public_half(start.secret_key));
  life.body =
      std::make_unique<RunnerBody>(*life.thread, transport, ids_, start, link_options(),
                                   [this, name](ProcessEnd how) { end(name, std::move(how)); });
}

LinkOptions SimulatedCluster::link_options() const {
  LinkOptions links;
  links.test_never_resend = options_.never_resend;
  return links;
}

// ---- job manager, task managers, clients --------------------------------------------------------

namespace {

std::string name_of_job_manager(std::uint32_t number) {
  return number == 0 ? "jm" : "jm" + std::to_string(number);
}
}  // namespace

void SimulatedCluster::start_job_manager(std::uint32_t number) {
  const std::string name = name_of_job_manager(number);
  if (lives_.count(name)) return;
  Life& life = begin(name, "job manager", "");
  Transport& transport = connect(life, job_manager_keys_.public_key);
  transport.admit(client_keys_.public_key, Role::kClient);
  for (const KeyPair& keys : task_manager_keys_) {
    transport.admit(keys.public_key, Role::kTaskManager);
  }
  JobManagerOptions options;
  options.cluster_id = "simulated";
  options.name = "job manager " + std::to_string(++job_manager_life_);
  options.program = "/fr";
  options.links = link_options();
  options.one_application = options_.one_application;
  options.linger_ms = options_.linger_ms;
  options.client_grace_ms = options_.client_grace_ms;
  options.records = options_.records;
  options.blob_max_idle_ms = options_.blob_max_idle_ms;
  options.on_demand = {options_.most_task_managers, options_.slots, options_.idle_ms,
                       options_.start_ms};
  const bool alone = options_.job_managers == 1;
  auto body = std::make_unique<JobManagerBody>(
      *this, life, transport, draw(), ids_,
      alone ? make_no_high_availability() : high_availability_.join(),
      alone ? nullptr : &shared_blobs_, std::move(options), [this, name] {
        ++job_manager_ends_;
        // What it has said last gets out.
        constexpr std::int64_t kGetsOutMs = 500;
        lives_.at(name)->thread->after_ms(kGetsOutMs, "exit", [this, name] {
          ProcessEnd end;
          end.exit_code = 0;
          this->end(name, end);
        });
      });
  JobManager& job_manager = body->job_manager();
  if (options_.frees_slots_twice) job_manager.resources().seed_bug_of_slots_freed_twice();
  if (options_.blames_jobs_for_hosts) job_manager.task_managers().seed_bug_of_blamed_jobs();
  if (options_.grants_slots_of_ending) job_manager.task_managers().seed_bug_of_unheard_ends();
  life.body = std::move(body);
  job_manager.start([this, &transport](const Address& address) {
    job_manager_address_ = address;
    job_manager_transport_ = &transport;
  });
}

JobManager* SimulatedCluster::job_manager(std::uint32_t number) {
  const auto found = lives_.find(name_of_job_manager(number));
  if (found == lives_.end() || found->second->ended) return nullptr;
  return &static_cast<JobManagerBody&>(*found->second->body).job_manager();
}

void SimulatedCluster::start_task_manager(std::uint32_t number) {
  const std::string name = "tm" + std::to_string(number);
  if (lives_.count(name)) return;
  Life& life = begin(name, "task manager", "");
  Transport& transport = connect(life, task_manager_keys_.at(number).public_key);
  TaskManagerOptions options;
  options.cluster_id = "simulated";
  options.id = name;
  options.host = name;
  options.slots = options_.slots;
  options.blob_max_idle_ms = options_.blob_max_idle_ms;
  options.program = "/fr";
  options.links = link_options();
  life.body = std::make_unique<TaskManagerBody>(
      *this, life, transport, ids_, std::move(options), [this] { return job_manager_address_; },
      [this, name] {
        constexpr std::int64_t kGetsOutMs = 300;
        lives_.at(name)->thread->after_ms(kGetsOutMs, "exit", [this, name] {
          ProcessEnd end;
          end.exit_code = 0;
          this->end(name, end);
        });
      });
}

void SimulatedCluster::end_task_manager(std::uint32_t number) {
  const auto found = lives_.find("tm" + std::to_string(number));
  if (found == lives_.end() || found->second->ended) return;
  Life& life = *found->second;
  life.thread->post("SIGTERM",
                    [&task_manager = static_cast<TaskManagerBody&>(*life.body).task_manager()] {
                      task_manager.end("Terminated (signal 15)");
                    });
}

void SimulatedCluster::let_start_workers(std::uint32_t number, bool can) {
  const std::string name = "tm" + std::to_string(number);
  if (can) {
    full_.erase(name);
  } else {
    full_.emplace(name, kNoStart);
  }
}

void SimulatedCluster::let_start_workers_that_end(std::uint32_t number, const ProcessEnd& end) {
  full_["tm" + std::to_string(number)] = end;
}

std::vector<std::string> SimulatedCluster::deployed() {
  std::erase_if(deployed_, [this](std::uint32_t number) {
    const auto found = lives_.find("tm" + std::to_string(number));
    return found == lives_.end() || found->second->ended;
  });
  std::vector<std::string> names;
  for (const std::uint32_t number : deployed_) names.push_back("tm" + std::to_string(number));
  return names;
}

std::vector<std::string> SimulatedCluster::resize(std::uint32_t count) {
  ++resizes_;
  if (options_.resizes_fail_one_in > 0 && random_.one_in(options_.resizes_fail_one_in))
    throw InvalidInput("the host is full");
  std::vector<std::string> names = deployed();
  while (names.size() < count) {
    const auto number = static_cast<std::uint32_t>(task_manager_keys_.size());
    task_manager_keys_.push_back(ids_.draw_keys());
    job_manager_transport_->admit(task_manager_keys_.back().public_key, Role::kTaskManager);
    deployed_.push_back(number);
    names.push_back("tm" + std::to_string(number));
    if (options_.lost_starts_one_in > 0 && random_.one_in(options_.lost_starts_one_in)) {
      begin(names.back(), "task manager", "");
    } else {
      start_task_manager(number);
    }
  }
  if (names.size() == count) return names;
  constexpr std::int64_t kPatienceMs = 5'000;
  for (const std::string& name : job_manager()->task_managers().release(
           {names.rbegin(), names.rend()}, static_cast<std::uint32_t>(names.size()) - count)) {
    std::erase_if(deployed_,
                  [&](std::uint32_t number) { return name == "tm" + std::to_string(number); });
    std::erase(names, name);
    lives_.at(name)->thread->after_ms(kPatienceMs, "deployer", [this, name] {
      ProcessEnd killed;
      killed.signal = 9;
      end(name, killed);
    });
  }
  return names;
}

SimulatedCluster::Client& SimulatedCluster::add_client(const std::string& name) {
  Life& life = begin("client " + name, "client", "");
  Transport& transport = connect(life, client_keys_.public_key);
  auto body = std::make_unique<ClientBody>(
      *life.thread, transport, ids_, name, link_options(), [this] { return job_manager_address_; },
      options_.job_managers > 1,
      [this, life_name = life.name](ProcessEnd how) { end(life_name, std::move(how)); });
  Client& client = *body;
  life.body = std::move(body);
  return client;
}

Links& SimulatedCluster::add_stranger(const std::string& name, Role role) {
  Life& life = begin("client " + name, "client", "");
  PublicKey key = client_keys_.public_key;
  if (role != Role::kClient) {
    key = ids_.draw_keys().public_key;
    job_manager_transport_->admit(key, Role::kWorker);
  }
  auto body = std::make_unique<StrangerBody>(*life.thread, connect(life, key), ids_, name, role,
                                             link_options());
  Links& links = body->links();
  life.body = std::move(body);
  return links;
}

void SimulatedCluster::end_client(const std::string& name) {
  ProcessEnd end;
  end.signal = 9;
  this->end("client " + name, end);
}

bool SimulatedCluster::has_client(const std::string& name) const {
  const auto found = lives_.find("client " + name);
  return found != lives_.end() && !found->second->ended;
}

std::size_t SimulatedCluster::processes(const std::string& kind) const {
  std::size_t count = 0;
  for (const auto& [name, life] : lives_) count += life->kind == kind ? 1 : 0;
  return count;
}

// ---- faults -------------------------------------------------------------------------------------

void SimulatedCluster::crash_job_manager(bool silently, std::uint32_t number) {
  ProcessEnd end;
  end.signal = 9;
  this->end(name_of_job_manager(number), end, silently);
}

void SimulatedCluster::crash_task_manager(std::uint32_t number, bool silently) {
  ProcessEnd end;
  end.signal = 9;
  this->end("tm" + std::to_string(number), end, silently);
}

void SimulatedCluster::crash_one(const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& [name, life] : lives_) {
    if (life->kind == kind && !life->ended) names.push_back(name);
  }
  if (names.empty()) return;
  ProcessEnd end;
  end.signal = 11;
  this->end(names[random_.below(names.size())], end);
}

void SimulatedCluster::crash_a_worker() { crash_one("worker"); }
void SimulatedCluster::crash_a_runner() { crash_one("runner"); }

}  // namespace freshet::core
