#include "workload.h"

#include <algorithm>
#include <utility>

#include "security/sha256.h"
#include "watcher.h"

namespace freshet::testing {
using namespace core;
namespace {

// Every other seed drops records while others still work.
RecordLimits drawn_limits(SeededRandom& random) {
  RecordLimits limits;
  if (random.one_in(2)) return limits;
  limits.applications = 1 + random.below(6);
  limits.jobs = 1 + random.below(8);
  limits.age_ms = 3'000 + static_cast<std::int64_t>(random.below(20'000));
  return limits;
}

}  // namespace

Workload::Workload(WorkloadOptions options)
    : options_(options), random_(options.seed * 2 + 1), cluster_([&] {
        SimulatedClusterOptions cluster;
        cluster.seed = options.seed;
        cluster.rare_paths = options.faults;
        cluster.task_managers = 2 + static_cast<std::uint32_t>(random_.below(3));
        cluster.slots = 1 + static_cast<std::uint32_t>(random_.below(4));
        cluster.records = records_ = drawn_limits(random_);
        cluster.never_resend = options.never_resend;
        cluster.frees_slots_twice = options.frees_slots_twice;
        cluster.blames_jobs_for_hosts = options.blames_jobs_for_hosts;
        cluster.grants_slots_of_ending = options.grants_slots_of_ending;
        cluster.starts_fail_one_in = options.starts_fail_one_in;
        client_grace_ms_ = 5'000 + static_cast<std::int64_t>(random_.below(5'000));
        cluster.client_grace_ms = options.loses_mains_at_once ? 0 : client_grace_ms_;
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
  check_mains();
  shut_down();
  return cluster_.breaches();
}

std::string Workload::id(const std::string& of) {
  constexpr std::size_t kDigits = 32;
  return Sha256::of(of + std::to_string(++last_id_)).hex().substr(0, kDigits);
}

// ---- what happens -------------------------------------------------------------------------------

void Workload::act() {
  const std::uint64_t drawn = random_.below(12);
  note_gone();
  if (drawn < 4) {
    submit_application();
  } else if (drawn < 6) {
    submit_job();
  } else if (drawn < 8) {
    begin_main();
  } else if (drawn < 9 || !options_.faults) {
    cancel_something();
  } else {
    fault();
  }
}

std::size_t Workload::add_client() {
  Client client;
  client.name = "client" + std::to_string(clients_.size());
  client.process = &cluster_.add_client(client.name);
  client.cluster = &client.process->cluster();
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

// One whose main runs, if there is one.
std::size_t Workload::client_with_main() {
  std::vector<std::size_t> found;
  for (const Main& main : mains_) {
    const bool runs = is_told(main.told->begun) && !main.told->exit_code;
    if (runs && !clients_[main.client].gone) found.push_back(main.client);
  }
  return found.empty() ? some_client() : found[random_.below(found.size())];
}

// A main that crashes takes its client with it.
void Workload::note_gone() {
  for (Client& client : clients_) {
    if (client.gone || cluster_.has_client(client.name)) continue;
    client.gone = true;
    client.process = nullptr;
    client.cluster = nullptr;
  }
}

JobBehaviour drawn_behaviour(SeededRandom& random, bool may_be_endless) {
  JobBehaviour behaviour;
  behaviour.runs_ms =
      may_be_endless && random.one_in(5) ? -1 : static_cast<std::int64_t>(random.below(2'000));
  if (random.one_in(4)) behaviour.fails_one_in = 1 + random.below(3);
  if (random.one_in(6)) behaviour.crashes_one_in = 1 + random.below(3);
  if (random.one_in(6)) behaviour.hangs_one_in = 1 + random.below(2);
  if (random.one_in(15)) behaviour.refuses_one_in = 1 + random.below(2);
  if (random.one_in(2)) behaviour.commits_ms = static_cast<std::int64_t>(random.below(1'000));
  if (random.one_in(6)) behaviour.commit_fails_one_in = 1 + random.below(4);
  if (random.one_in(12)) behaviour.commit_hangs_one_in = 1 + random.below(4);
  return behaviour;
}

std::string drawn_settings(SeededRandom& random) {
  std::string settings = "task.cancellation-timeout=1500 ms;slot.request-timeout=" +
                         std::to_string(kSlotRequestTimeoutMs) +
                         " ms;execution.commit-timeout=15 s";
  if (random.one_in(2)) {
    // One after the other: a compiler may choose the order of operands and arguments, and a seed is
    // to be the same with each.
    const std::uint64_t attempts = random.below(4);
    const std::uint64_t delay_ms = random.below(500);
    settings += ";restart-strategy.type=fixed-delay;restart-strategy.fixed-delay.attempts=" +
                std::to_string(attempts) +
                ";restart-strategy.fixed-delay.delay=" + std::to_string(delay_ms) + " ms";
  }
  if (random.one_in(2)) settings += ";slot.placement=packed";
  return settings;
}

MainScript drawn_script(SeededRandom& random) {
  MainScript script;
  script.jobs = static_cast<std::uint32_t>(random.below(4));
  script.at_once = random.one_in(2);
  script.parallelism = 1 + static_cast<std::uint32_t>(random.below(4));
  script.same_id = random.one_in(8);
  script.behaviour = drawn_behaviour(random, script.at_once);
  script.settings = drawn_settings(random);
  using End = MainScript::End;
  constexpr End kEnds[] = {End::kReturns, End::kReturns, End::kReturns, End::kReturns,
                           End::kThrows,  End::kExits,   End::kCrashes, End::kNever};
  script.end = kEnds[random.below(std::size(kEnds))];
  return script;
}

void Workload::submit_application() {
  const MainScript script = drawn_script(random_);
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
  const JobBehaviour behaviour = drawn_behaviour(random_, true);
  const std::string settings = drawn_settings(random_);
  const std::string graph =
      simulated_job(job.id, "job " + std::to_string(last_id_), SimulatedCluster::module_sha256(),
                    job.parallelism, behaviour, settings);
  job.accepted = clients_[job.client].cluster->submit_job(graph, "");
  jobs_.push_back(std::move(job));
}

// In a client of its own, as fr-run is, or in one that does other things, too.
void Workload::begin_main() {
  const MainScript script = drawn_script(random_);
  const std::string application = id("main");
  const bool twin = random_.one_in(6);
  for (int i = 0; i < (twin ? 2 : 1); ++i) {
    Main main;
    main.client = random_.one_in(3) ? some_client() : add_client();
    main.id = application;
    main.life = cluster_.job_manager_life();
    main.twin = twin;
    main.told = clients_[main.client].process->run_main(application,
                                                        "main " + std::to_string(last_id_), script);
    mains_.push_back(std::move(main));
  }
}

void Workload::cancel_something() {
  const std::size_t client = some_client();
  if (!mains_.empty() && random_.one_in(4)) {
    const auto ignored =
        clients_[client].cluster->cancel_application(mains_[random_.below(mains_.size())].id);
    static_cast<void>(ignored);
  } else if (!applications_.empty() && random_.one_in(2)) {
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
  switch (random_.below(14)) {
    case 0:
    case 1:
      cluster_.crash_a_worker();
      return;
    case 2:
      cluster_.crash_a_runner();
      return;
    case 3:
    case 11:
      end_a_task_manager();
      return;
    case 12: {
      if (options_.starts_fail_one_in == 0) return;
      const auto number = static_cast<std::uint32_t>(random_.below(2));
      cluster_.let_start_workers(number, false);
      hosts_clear_[number] = now + 100 + static_cast<std::int64_t>(random_.below(8'000));
      return;
    }
    case 4:
      if (!options_.job_manager_crashes || job_manager_back_ || !random_.one_in(2)) return;
      cluster_.crash_job_manager(random_.one_in(4));
      job_manager_back_ = now + 100 + static_cast<std::int64_t>(random_.below(8'000));
      return;
    case 5: {
      Client& client = clients_[random_.one_in(2) ? some_client() : client_with_main()];
      if (random_.one_in(2)) {
        client.process->leave();
        leave_.push_back(client.name);
      } else {
        cluster_.end_client(client.name);
      }
      client.gone = true;
      client.process = nullptr;
      client.cluster = nullptr;
      return;
    }
    case 7: {
      part(clients_[client_with_main()]);
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

// It is killed, its host is cut off with it, or it is told to end while jobs wait for its slots.
void Workload::end_a_task_manager() {
  const auto number = static_cast<std::uint32_t>(random_.below(2));
  if (task_managers_back_.count(number)) return;
  if (random_.one_in(2)) {
    for (std::uint64_t i = random_.below(4); i > 0; --i) submit_job();
    cluster_.run_for(static_cast<std::int64_t>(random_.below(300)));
    cluster_.end_task_manager(number);
  } else {
    cluster_.crash_task_manager(number, random_.one_in(3));
  }
  task_managers_back_[number] =
      cluster_.now_ms() + 1'000 + static_cast<std::int64_t>(random_.below(8'000));
}

void Workload::part(Client& client) {
  // Shortly after the last time it may not be back yet.
  constexpr std::int64_t kBackMs = 3'000;
  const std::int64_t now = cluster_.now_ms();
  if (!client.parted && client.back_ms + kBackMs < now) client.away_since_ms = now;
  client.parted = parted_ = true;
  cluster_.network().part("jm", "client " + client.name);
  for (std::uint64_t i = random_.below(12); i > 0; --i) cluster_.network().break_a_connection();
}

void Workload::heal() {
  cluster_.network().heal();
  parted_ = false;
  for (Client& client : clients_) {
    if (!std::exchange(client.parted, false)) continue;
    client.back_ms = cluster_.now_ms();
    client.longest_away_ms =
        std::max(client.longest_away_ms, client.back_ms - client.away_since_ms);
  }
}

// What comes back, and what is asked once something was answered.
void Workload::follow_up() {
  const std::int64_t now = cluster_.now_ms();
  note_gone();
  for (const std::string& name : leave_) cluster_.end_client(name);
  leave_.clear();
  for (auto back = task_managers_back_.begin(); back != task_managers_back_.end();) {
    if (back->second > now) {
      ++back;
      continue;
    }
    cluster_.start_task_manager(back->first);
    back = task_managers_back_.erase(back);
  }
  for (auto clear = hosts_clear_.begin(); clear != hosts_clear_.end();) {
    if (clear->second > now) {
      ++clear;
      continue;
    }
    cluster_.let_start_workers(clear->first, true);
    clear = hosts_clear_.erase(clear);
  }
  if (job_manager_back_ && job_manager_back_ <= now) {
    job_manager_back_ = 0;
    cluster_.start_job_manager();
  }
  if (parted_ && random_.one_in(3)) heal();
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

}  // namespace freshet::testing
