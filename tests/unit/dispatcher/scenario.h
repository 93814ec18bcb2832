// One client of a simulated cluster, and calls that wait for their answers in simulated time.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "security/sha256.h"
#include "simulation/simulated_cluster.h"

namespace freshet::testing {
using namespace core;

class Scenario {
 public:
  explicit Scenario(SimulatedClusterOptions options = {})
      : cluster([&] {
          spdlog::set_level(spdlog::level::off);
          options.starts_fail_one_in = 0;
          return options;
        }()),
        client(cluster.add_client("client").cluster()) {}

  static std::string id(int number) {
    constexpr std::size_t kDigits = 32;
    return Sha256::of(std::to_string(number)).hex().substr(0, kDigits);
  }
  static ApplicationSpec application(const MainScript& script, int number = 1) {
    ApplicationSpec spec;
    spec.id = id(number);
    spec.name = "application " + std::to_string(number);
    spec.main.location = "application.so";
    spec.arguments = script.arguments();
    return spec;
  }
  static std::string job(int number, std::uint32_t parallelism, const JobBehaviour& behaviour,
                         const std::string& settings = "") {
    return simulated_job(id(number), "job " + std::to_string(number),
                         SimulatedCluster::module_sha256(), parallelism, behaviour, settings);
  }

  // The value, within a minute of simulated time; throws its error.
  template <class T>
  T wait(const Future<T>& future, std::int64_t at_most_ms = 60'000) {
    if (!cluster.run_until([&] { return future.ready(); }, at_most_ms)) {
      throw Error("nothing came within " + std::to_string(at_most_ms) + " ms");
    }
    return future.get();
  }
  template <class T>
  std::string error(const Future<T>& future) {
    try {
      static_cast<void>(wait(future));
      return "";
    } catch (const std::exception& refused) {
      return refused.what();
    }
  }
  ApplicationInfo run(const MainScript& script, int number = 1) {
    return wait(
        client.application_end(wait(client.submit_application(application(script, number)))));
  }
  // Until the job is in that state.
  bool becomes(const std::string& job_id, JobStatus status) {
    return cluster.run_until(
        [&] {
          for (const JobInfo& job : cluster.job_manager()->dispatcher().jobs()) {
            if (job.job_id == job_id) return job.status == status;
          }
          return false;
        },
        60'000);
  }
  // Nothing of any job or main is left.
  bool clears() {
    return cluster.run_until(
        [&] { return cluster.processes("worker") + cluster.processes("runner") == 0; }, 60'000);
  }

  SimulatedCluster cluster;
  ClusterClient& client;
};

}  // namespace freshet::testing
