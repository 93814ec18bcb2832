#include "application_cluster.h"

#include <algorithm>

#include "security/sha256.h"
#include "watcher.h"

namespace freshet::testing {
using namespace core;

ApplicationClusterWorkload::ApplicationClusterWorkload(WorkloadOptions options)
    : options_(options),
      random_(options.seed * 2 + 1),
      cluster_([&] {
        SimulatedClusterOptions cluster;
        cluster.seed = options.seed;
        cluster.rare_paths = options.faults;
        cluster.task_managers = 1 + static_cast<std::uint32_t>(random_.below(3));
        cluster.slots = 1 + static_cast<std::uint32_t>(random_.below(4));
        cluster.one_application = true;
        linger_ms_ = 500 + static_cast<std::int64_t>(random_.below(2'000));
        cluster.linger_ms = linger_ms_;
        return cluster;
      }()),
      patient_(cluster_.add_client("patient").cluster()),
      leaver_(&cluster_.add_client("leaver")),
      id_(Sha256::of("application" + std::to_string(options.seed)).hex().substr(0, 32)) {}
ApplicationClusterWorkload::~ApplicationClusterWorkload() = default;

std::vector<std::string> ApplicationClusterWorkload::run() {
  submit();
  const std::uint64_t actions = 3 + random_.below(10);
  for (std::uint64_t i = 0; i < actions && !has_ended(); ++i) {
    const std::int64_t until = cluster_.now_ms() + static_cast<std::int64_t>(random_.below(800));
    cluster_.run_until(
        [&] {
          look();
          return cluster_.now_ms() >= until;
        },
        1'000);
    let_task_managers_come_back();
    if (!has_ended()) act();
  }
  check_end();
  check_told();
  return cluster_.breaches();
}

void ApplicationClusterWorkload::submit() {
  ApplicationSpec spec;
  spec.id = id_;
  spec.name = "the application";
  spec.main.location = random_.one_in(5) ? "https://host/application.so" : "application.so";
  spec.arguments = drawn_script(random_).arguments();
  const bool twin = random_.one_in(3);
  if (twin && random_.one_in(2)) {
    accepted_of_leaver_ = leaver_->cluster().submit_application(spec);
  }
  accepted_ = patient_.submit_application(spec);
  if (twin && !accepted_of_leaver_.valid()) {
    accepted_of_leaver_ = leaver_->cluster().submit_application(spec);
  }
  // Whoever of the two was first.
  cluster_.run_until([this] { return is_told(accepted_); }, 60'000);
  end_ = patient_.application_end(id_);
}

void ApplicationClusterWorkload::act() {
  switch (random_.below(options_.faults ? 8 : 3)) {
    case 0: {
      if (!random_.one_in(3)) return;
      const auto ignored = patient_.cancel_application(id_);
      static_cast<void>(ignored);
      return;
    }
    case 1: {
      if (!leaver_) return;
      ApplicationSpec other;
      other.id = id_.substr(1) + "0";
      other.name = "another one";
      other.main.location = "application.so";
      other.arguments = MainScript{}.arguments();
      const auto ignored = leaver_->cluster().submit_application(other);
      static_cast<void>(ignored);
      return;
    }
    case 2: {
      if (!leaver_) return;
      const auto ignored = leaver_->cluster().application_end(id_);
      static_cast<void>(ignored);
      return;
    }
    default:
      fault();
  }
}

void ApplicationClusterWorkload::fault() {
  switch (random_.below(9)) {
    case 0:
    case 1:
      cluster_.crash_a_worker();
      return;
    case 2:
      cluster_.crash_a_runner();
      return;
    case 3: {
      if (task_managers_back_.count(0)) return;
      cluster_.crash_task_manager(0, random_.one_in(3));
      task_managers_back_[0] =
          cluster_.now_ms() + 100 + static_cast<std::int64_t>(random_.below(8'000));
      return;
    }
    case 4:
      if (!leaver_) return;
      leaver_ = nullptr;
      cluster_.end_client("leaver");
      return;
    case 5:
      if (!options_.job_manager_crashes || !random_.one_in(4)) return;
      crashed_ = true;
      cluster_.crash_job_manager(random_.one_in(4));
      return;
    case 6:
      cluster_.network().part("jm", "tm0");
      return;
    default:
      for (std::uint64_t i = 0; i < 1 + random_.below(4); ++i) {
        cluster_.network().break_a_connection();
      }
  }
}

void ApplicationClusterWorkload::let_task_managers_come_back() {
  if (random_.one_in(3)) cluster_.network().heal();
  const auto back = task_managers_back_.find(0);
  if (back == task_managers_back_.end() || back->second > cluster_.now_ms()) return;
  task_managers_back_.clear();
  if (!has_ended()) cluster_.start_task_manager(0);
}

bool ApplicationClusterWorkload::has_ended() const {
  return crashed_ || cluster_.job_manager_ends() > 0;
}

// After every step: it ends once, its jobs before it, and the cluster after it.
void ApplicationClusterWorkload::look() {
  JobManager* const job_manager = cluster_.job_manager();
  if (!job_manager || cluster_ended_ms_) return;
  const auto applications = job_manager->dispatcher().applications();
  if (applications.size() > 1) cluster_.breach("it has taken a second application");
  if (applications.empty()) return;
  const ApplicationInfo& now = applications.front();
  if (is_terminal(last_.status) && now.status != last_.status) {
    cluster_.breach(std::string("the application was ") + name_of(last_.status) +
                    " for good, and is " + name_of(now.status));
  }
  if (is_terminal(now.status)) {
    if (!ended_ms_) ended_ms_ = cluster_.now_ms();
    for (const JobInfo& job : now.jobs) {
      if (!is_terminal(job.status)) cluster_.breach("it has ended before job " + job.job_id);
    }
  }
  last_ = now;
  if (cluster_.job_manager_ends() == 0) return;
  cluster_ended_ms_ = cluster_.now_ms();
  if (!is_terminal(now.status)) cluster_.breach("the cluster has ended before its application");
  if (!job_manager->dispatcher().idle() || cluster_.processes("runner") > 0) {
    cluster_.breach("the cluster has ended before main and jobs");
  }
}

void ApplicationClusterWorkload::check_end() {
  const auto only_clients = [this] {
    look();
    return cluster_.processes() == cluster_.processes("client");
  };
  cluster_.network().heal();
  if (!has_ended() && task_managers_back_.count(0)) cluster_.start_task_manager(0);
  // Bounded work comes to its end by itself, endless work is canceled.
  constexpr std::int64_t kLongMs = 15'000, kAtMostMs = 120'000;
  cluster_.run_until(only_clients, kLongMs);
  if (!has_ended() && !is_terminal(last_.status)) {
    const auto ignored = patient_.cancel_application(id_);
    static_cast<void>(ignored);
  }
  if (!cluster_.run_until(only_clients, kAtMostMs)) {
    cluster_.breach(
        "the application is " + std::string(name_of(last_.status)) + ", and there are " +
        std::to_string(cluster_.processes() - cluster_.processes("client")) + " processes left");
  }
  if (crashed_) {
    ++ends_["cluster without its job manager"];
    if (cluster_.job_manager_ends() > 1) cluster_.breach("the job manager has ended twice");
    return;
  }
  ++ends_[std::string("cluster ") + name_of(last_.status)];
  if (cluster_.job_manager_ends() != 1) {
    cluster_.breach("the job manager has ended " + std::to_string(cluster_.job_manager_ends()) +
                    " times");
  }
  // Nobody has to be waited for longer: clients, then task managers that are lost.
  constexpr std::int64_t kTaskManagersMs = 15'000;
  if (cluster_ended_ms_ - ended_ms_ > linger_ms_ + kTaskManagersMs) {
    cluster_.breach("the cluster has ended " + std::to_string(cluster_ended_ms_ - ended_ms_) +
                    " ms after its application");
  }
}

void ApplicationClusterWorkload::check_told() {
  constexpr std::int64_t kAtMostMs = 60'000;
  cluster_.run_until([this] { return is_told(end_) && is_told(accepted_); }, kAtMostMs);
  if (!is_told(accepted_) || !is_told(end_)) {
    cluster_.breach("the client that waits is never told");
  } else if (!crashed_) {
    try {
      const ApplicationInfo told = end_.get();
      if (told.status != last_.status || told.reason != last_.reason) {
        cluster_.breach(std::string("the client was told that it is ") + name_of(told.status) +
                        ", the record had " + name_of(last_.status));
      }
    } catch (const std::exception& error) {
      cluster_.breach(std::string("the end was not told: ") + error.what());
    }
  }
  const auto was_accepted = [](const Future<std::string>& accepted) {
    try {
      return is_told(accepted) && !accepted.get().empty();
    } catch (const std::exception&) {
      return false;
    }
  };
  if (was_accepted(accepted_) && was_accepted(accepted_of_leaver_)) {
    cluster_.breach("the application was accepted twice");
  }
  cluster_.end_client("patient");
  if (leaver_) cluster_.end_client("leaver");
  cluster_.run_until([this] { return cluster_.processes() == 0; }, 1'000);
  if (cluster_.network().connections() + cluster_.network().listeners() > 0) {
    cluster_.breach("connections or listeners are left");
  }
}

}  // namespace freshet::testing
