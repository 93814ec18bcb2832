#include "workload.h"

#include <algorithm>

#include "modules/sha256.h"

namespace freshet::testing {
namespace {

template <class T>
bool is_told(const Future<T>& future) {
  return future.valid() && future.ready();
}

}  // namespace

// What one client is told of the states of things: never anything after an end.
class Workload::Watcher final : public ClusterListener {
 public:
  Watcher(SimulatedCluster& cluster, std::string name)
      : cluster_(cluster), name_(std::move(name)) {}
  void on_event(const ClusterEvent& event) override {
    const std::string id = event.job_id.empty() ? event.application_id : event.job_id;
    cluster_.trace(name_ + " is told: " + id + " is " + event.status);
    const auto before = last_.find(id);
    if (before != last_.end() && before->second.terminal && before->second.status != event.status) {
      cluster_.breach(name_ + " was told that " + id + " is " + before->second.status +
                      " for good, and then " + event.status);
    }
    last_[id] = event;
  }
  const std::map<std::string, ClusterEvent>& last() const { return last_; }

 private:
  SimulatedCluster& cluster_;
  const std::string name_;
  std::map<std::string, ClusterEvent> last_;
};

Workload::Workload(WorkloadOptions options)
    : options_(options), random_(options.seed * 2 + 1), cluster_([&] {
        SimulatedClusterOptions cluster;
        cluster.seed = options.seed;
        cluster.task_managers = 2 + static_cast<std::uint32_t>(random_.below(3));
        cluster.slots = 1 + static_cast<std::uint32_t>(random_.below(4));
        cluster.never_resend = options.never_resend;
        cluster.frees_slots_twice = options.frees_slots_twice;
        return cluster;
      }()) {}
Workload::~Workload() = default;

std::vector<std::string> Workload::run() {
  constexpr std::uint64_t kActions = 25;
  for (int i = 0; i < 2; ++i) add_client();
  for (std::uint64_t i = 0; i < kActions; ++i) {
    act();
    cluster_.run_until([] { return false; }, static_cast<std::int64_t>(random_.below(800)));
    follow_up();
    check_records();
  }
  stop_faults();
  end_all_work();
  check_records();
  check_told();
  shut_down();
  return cluster_.breaches();
}

std::string Workload::id(const std::string& of) {
  constexpr std::size_t kDigits = 32;
  return Sha256::of(of + std::to_string(++last_id_)).hex().substr(0, kDigits);
}

// ---- what happens -------------------------------------------------------------------------------

void Workload::act() {
  const std::uint64_t drawn = random_.below(10);
  if (drawn < 4) {
    submit_application();
  } else if (drawn < 6) {
    submit_job();
  } else if (drawn < 7 || !options_.faults) {
    cancel_something();
  } else {
    fault();
  }
}

std::size_t Workload::add_client() {
  Client client;
  client.name = "client" + std::to_string(clients_.size());
  client.cluster = &cluster_.add_client(client.name).cluster();
  client.watcher = std::make_shared<Watcher>(cluster_, client.name);
  client.cluster->listen(client.watcher);
  clients_.push_back(std::move(client));
  return clients_.size() - 1;
}

std::size_t Workload::some_client() {
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!clients_[i].gone) there.push_back(i);
  }
  if (there.empty() || random_.one_in(10)) return add_client();
  return there[random_.below(there.size())];
}

JobBehaviour Workload::behaviour(bool may_be_endless) {
  JobBehaviour behaviour;
  behaviour.runs_ms =
      may_be_endless && random_.one_in(5) ? -1 : static_cast<std::int64_t>(random_.below(2'000));
  if (random_.one_in(4)) behaviour.fails_one_in = 1 + random_.below(3);
  if (random_.one_in(6)) behaviour.crashes_one_in = 1 + random_.below(3);
  if (random_.one_in(6)) behaviour.hangs_one_in = 1 + random_.below(2);
  if (random_.one_in(15)) behaviour.refuses_one_in = 1 + random_.below(2);
  return behaviour;
}

namespace {

std::string drawn_settings(SeededRandom& random) {
  std::string settings = "task.cancellation-timeout=1500 ms;slot.request-timeout=20 s";
  if (random.one_in(2)) {
    settings += ";restart-strategy=fixed-delay;restart-strategy.fixed-delay.attempts=" +
                std::to_string(random.below(4)) +
                ";restart-strategy.fixed-delay.delay=" + std::to_string(random.below(500)) + " ms";
  }
  if (random.one_in(2)) settings += ";slot.placement=packed";
  return settings;
}

}  // namespace

void Workload::submit_application() {
  MainScript script;
  script.jobs = static_cast<std::uint32_t>(random_.below(4));
  script.at_once = random_.one_in(2);
  script.parallelism = 1 + static_cast<std::uint32_t>(random_.below(4));
  script.same_id = random_.one_in(8);
  script.behaviour = behaviour(script.at_once);
  script.settings = drawn_settings(random_);
  using End = MainScript::End;
  constexpr End kEnds[] = {End::kReturns, End::kReturns, End::kReturns, End::kReturns,
                           End::kThrows,  End::kExits,   End::kCrashes, End::kNever};
  script.end = kEnds[random_.below(std::size(kEnds))];
  ApplicationSpec spec;
  spec.id = id("application");
  spec.name = "application " + std::to_string(last_id_);
  spec.main.location = random_.one_in(5) ? "https://host/application.so" : "application.so";
  if (random_.one_in(30)) spec.main.location = "https://host/missing.so";
  if (random_.one_in(3)) spec.shipped.push_back({"other.so", ""});
  spec.arguments = script.arguments();
  const bool twin = random_.one_in(8);
  for (int i = 0; i < (twin ? 2 : 1); ++i) {
    Application application;
    application.client = some_client();
    application.id = spec.id;
    application.life = cluster_.job_manager_life();
    application.twin = twin;
    application.accepted = clients_[application.client].cluster->submit_application(spec);
    applications_.push_back(std::move(application));
  }
}

void Workload::submit_job() {
  Job job;
  job.client = some_client();
  job.id = id("job");
  job.life = cluster_.job_manager_life();
  job.parallelism = 1 + static_cast<std::uint32_t>(random_.below(5));
  const std::string graph =
      simulated_job(job.id, "job " + std::to_string(last_id_), SimulatedCluster::module_sha256(),
                    job.parallelism, behaviour(true), drawn_settings(random_));
  job.accepted = clients_[job.client].cluster->submit_job(graph, "");
  jobs_.push_back(std::move(job));
}

void Workload::cancel_something() {
  const std::size_t client = some_client();
  if (!applications_.empty() && random_.one_in(2)) {
    const auto ignored = clients_[client].cluster->cancel_application(
        applications_[random_.below(applications_.size())].id);
    static_cast<void>(ignored);
  } else if (!jobs_.empty()) {
    const auto ignored =
        clients_[client].cluster->job(jobs_[random_.below(jobs_.size())].id)->cancel();
    static_cast<void>(ignored);
  }
}

void Workload::fault() {
  const std::int64_t now = cluster_.now_ms();
  switch (random_.below(10)) {
    case 0:
    case 1:
      cluster_.crash_a_worker();
      return;
    case 2:
      cluster_.crash_a_runner();
      return;
    case 3: {
      const auto number = static_cast<std::uint32_t>(random_.below(2));
      if (task_managers_back_.count(number)) return;
      cluster_.crash_task_manager(number, random_.one_in(3));
      task_managers_back_[number] = now + 100 + static_cast<std::int64_t>(random_.below(8'000));
      return;
    }
    case 4:
      if (!options_.job_manager_crashes || job_manager_back_ || !random_.one_in(2)) return;
      cluster_.crash_job_manager(random_.one_in(4));
      job_manager_back_ = now + 100 + static_cast<std::int64_t>(random_.below(8'000));
      return;
    case 5: {
      const std::size_t client = some_client();
      cluster_.end_client(clients_[client].name);
      clients_[client].gone = true;
      clients_[client].cluster = nullptr;
      return;
    }
    case 6:
      cluster_.network().part("jm", "tm" + std::to_string(random_.below(2)));
      parted_ = true;
      return;
    default:
      for (std::uint64_t i = 0; i < 1 + random_.below(4); ++i) {
        cluster_.network().break_a_connection();
      }
  }
}

// What comes back, and what is asked once something was answered.
void Workload::follow_up() {
  const std::int64_t now = cluster_.now_ms();
  for (auto back = task_managers_back_.begin(); back != task_managers_back_.end();) {
    if (back->second > now) {
      ++back;
      continue;
    }
    cluster_.start_task_manager(back->first);
    back = task_managers_back_.erase(back);
  }
  if (job_manager_back_ && job_manager_back_ <= now) {
    job_manager_back_ = 0;
    cluster_.start_job_manager();
  }
  if (parted_ && random_.one_in(3)) {
    cluster_.network().heal();
    parted_ = false;
  }
  for (Application& application : applications_) {
    if (application.asked_for_end || clients_[application.client].gone) continue;
    if (!is_told(application.accepted)) continue;
    application.asked_for_end = true;
    try {
      const std::string told = application.accepted.get();
      if (told != application.id) cluster_.breach("accepted as " + told);
      application.end = clients_[application.client].cluster->application_end(application.id);
    } catch (const std::exception&) {
    }
  }
  for (Job& job : jobs_) {
    if (job.handle || job.end.valid() || clients_[job.client].gone) continue;
    if (!is_told(job.accepted)) continue;
    try {
      job.handle = job.accepted.get();
      job.end = job.handle->result();
    } catch (const std::exception&) {
      job.end = make_failed_future<JobResult>(std::current_exception());
    }
  }
}

// ---- what must hold -----------------------------------------------------------------------------

void Workload::check_records() {
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) return;
  if (records_life_ != cluster_.job_manager_life()) {
    records_life_ = cluster_.job_manager_life();
    terminal_.clear();
  }
  const auto check = [this](const std::string& id, const std::string& status, bool is_terminal) {
    const auto before = terminal_.find(id);
    if (before != terminal_.end() && before->second != status) {
      cluster_.breach(id + " was " + before->second + " for good, and is " + status);
    }
    if (is_terminal) terminal_[id] = status;
  };
  for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
    check(application.id, name_of(application.status), is_terminal(application.status));
    for (const JobInfo& job : application.jobs) {
      if (is_terminal(application.status) && !is_terminal(job.status)) {
        cluster_.breach("application " + application.id + " has ended before its job " +
                        job.job_id);
      }
    }
  }
  for (const JobInfo& job : job_manager->dispatcher().jobs()) {
    check(job.job_id, name_of(job.status), is_terminal(job.status));
  }
}

void Workload::stop_faults() {
  cluster_.network().heal();
  cluster_.run_until([] { return false; }, 200);
  cluster_.start_job_manager();
  for (const auto& [number, when] : task_managers_back_) cluster_.start_task_manager(number);
  task_managers_back_.clear();
}

void Workload::end_all_work() {
  // Bounded work comes to its end by itself; endless work is canceled.
  constexpr std::int64_t kLongMs = 15'000;
  cluster_.run_until([] { return false; }, kLongMs);
  follow_up();
  const std::size_t last = add_client();
  std::vector<std::string> endless;
  if (JobManager* job_manager = cluster_.job_manager()) {
    for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
      if (!is_terminal(application.status)) endless.push_back(application.id);
    }
  }
  for (const std::string& id : endless) {
    const auto ignored = clients_[last].cluster->cancel_application(id);
    static_cast<void>(ignored);
  }
  const auto all_told = [this] {
    follow_up();
    JobManager* job_manager = cluster_.job_manager();
    if (!job_manager || !job_manager->dispatcher().idle()) return false;
    for (const Application& application : applications_) {
      if (clients_[application.client].gone) continue;
      if (!is_told(application.accepted)) return false;
      if (application.end.valid() && !application.end.ready()) return false;
    }
    for (const Job& job : jobs_) {
      if (!clients_[job.client].gone && !is_told(job.end)) return false;
    }
    return true;
  };
  constexpr std::int64_t kAtMostMs = 120'000;
  if (cluster_.run_until(all_told, kAtMostMs)) {
    cluster_.run_for(2'000);  // events that are under way arrive
    return;
  }
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) {
    cluster_.breach("there is no job manager at the end");
    return;
  }
  for (const ApplicationInfo& application : job_manager->dispatcher().applications()) {
    if (!is_terminal(application.status)) {
      cluster_.breach("application " + application.id + " does not end: it is " +
                      name_of(application.status));
    }
    for (const JobInfo& job : application.jobs) {
      if (!is_terminal(job.status)) {
        cluster_.breach("job " + job.job_id + " does not end: it is " + name_of(job.status) + ": " +
                        job.detail);
      }
    }
  }
  if (!job_manager->dispatcher().idle()) cluster_.breach("something of what has ended still runs");
  for (const Application& application : applications_) {
    if (clients_[application.client].gone) continue;
    if (!is_told(application.accepted)) {
      cluster_.breach(clients_[application.client].name + " is never told whether " +
                      application.id + " is accepted");
    } else if (application.end.valid() && !application.end.ready()) {
      cluster_.breach(clients_[application.client].name + " is never told the end of " +
                      application.id);
    }
  }
  for (const Job& job : jobs_) {
    if (!clients_[job.client].gone && !is_told(job.end)) {
      cluster_.breach(clients_[job.client].name + " is never told the end of job " + job.id);
    }
  }
}

void Workload::check_told() {
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) return;
  const std::uint64_t life = cluster_.job_manager_life();
  std::map<std::string, ApplicationInfo> applications;
  std::map<std::string, JobInfo> jobs;
  for (ApplicationInfo& info : job_manager->dispatcher().applications()) {
    ++ends_[std::string("application ") + name_of(info.status)];
    applications[info.id] = std::move(info);
  }
  for (JobInfo& info : job_manager->dispatcher().jobs()) {
    ++ends_[std::string("job ") + name_of(info.status)];
    jobs[info.job_id] = std::move(info);
  }
  std::map<std::string, int> accepted;
  for (const Application& application : applications_) {
    if (clients_[application.client].gone || !is_told(application.accepted)) continue;
    std::string refused;
    try {
      static_cast<void>(application.accepted.get());
    } catch (const std::exception& error) {
      refused = error.what();
    }
    if (!refused.empty()) {
      if (!application.twin && application.life == life) {
        cluster_.breach("application " + application.id + " was refused: " + refused);
      }
      continue;
    }
    ++accepted[application.id];
    if (application.life == life && !applications.count(application.id)) {
      cluster_.breach("application " + application.id + " was accepted, and is not there");
    }
    try {
      if (!is_told(application.end)) continue;
      const ApplicationInfo told = application.end.get();
      const auto record = applications.find(application.id);
      if (record != applications.end() && record->second.status != told.status) {
        cluster_.breach("a client was told that " + told.id + " is " + name_of(told.status) +
                        ", the record has " + name_of(record->second.status));
      }
    } catch (const std::exception& error) {
      if (application.life == life) {
        cluster_.breach("the end of " + application.id + " was not told: " + error.what());
      }
    }
  }
  for (const auto& [id, times] : accepted) {
    if (times > 1) cluster_.breach("application " + id + " was accepted twice");
  }
  for (const Job& job : jobs_) {
    if (clients_[job.client].gone || !is_told(job.end)) continue;
    try {
      const JobResult told = job.end.get();
      const auto record = jobs.find(job.id);
      if (record != jobs.end() && record->second.status != told.status) {
        cluster_.breach("a client was told that job " + job.id + " is " + name_of(told.status) +
                        ", the record has " + name_of(record->second.status));
      }
      const auto subtasks = told.accumulators.find("subtasks");
      if (told.succeeded() &&
          (subtasks == told.accumulators.end() || subtasks->second.count != job.parallelism)) {
        cluster_.breach("job " + job.id + " has finished without the last word of all workers");
      }
    } catch (const std::exception& error) {
      if (job.life == life) cluster_.breach("job " + job.id + ": " + error.what());
    }
  }
  for (const Client& client : clients_) {
    if (client.gone) continue;
    for (const auto& [id, event] : client.watcher->last()) {
      std::string status;
      if (const auto found = jobs.find(id); found != jobs.end()) {
        status = name_of(found->second.status);
      } else if (const auto other = applications.find(id); other != applications.end()) {
        status = name_of(other->second.status);
      }
      if (!status.empty() && status != event.status) {
        cluster_.breach(client.name + " was last told that " + id + " is " + event.status +
                        ", the record has " + status);
      }
    }
  }
  if (!job_manager->resources().held().empty()) {
    cluster_.breach("slots are still held, first by " +
                    job_manager->resources().held().begin()->second);
  }
  if (cluster_.processes("worker") + cluster_.processes("runner") > 0) {
    cluster_.breach("there are still " + std::to_string(cluster_.processes("worker")) +
                    " workers and " + std::to_string(cluster_.processes("runner")) + " runners");
  }
}

void Workload::shut_down() {
  const std::uint64_t ends = cluster_.job_manager_ends();
  const std::size_t one = add_client();
  const std::size_t other = add_client();
  const auto first = clients_[one].cluster->shut_down();
  const auto second = clients_[other].cluster->shut_down();
  constexpr std::int64_t kAtMostMs = 60'000;
  const auto ended = [this] { return cluster_.processes() == cluster_.processes("client"); };
  if (!cluster_.run_until(ended, kAtMostMs)) {
    cluster_.breach("after the shut down there are still " + std::to_string(cluster_.processes()) +
                    " processes");
  }
  cluster_.run_until([&] { return first.ready() && second.ready(); }, kAtMostMs);
  if (!first.ready() || !second.ready()) cluster_.breach("a shut down was not answered");
  if (cluster_.job_manager_ends() != ends + 1) {
    cluster_.breach("the job manager has ended " +
                    std::to_string(cluster_.job_manager_ends() - ends) + " times");
  }
  for (const Client& client : clients_) {
    if (!client.gone) cluster_.end_client(client.name);
  }
  // Handles of jobs belong to processes that end now.
  jobs_.clear();
  applications_.clear();
  cluster_.run_until([this] { return cluster_.processes() == 0; }, 1'000);
  if (cluster_.network().connections() + cluster_.network().listeners() > 0) {
    cluster_.breach("connections or listeners are left");
  }
}

}  // namespace freshet::testing
