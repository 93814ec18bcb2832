#include "backend/in_process_backend.h"

#include <stdlib.h>
#include <unistd.h>

#include <utility>

#include "backend/running_jobs.h"
#include "backend/this_process.h"
#include "bounds/bounds.h"
#include "freshet/options.h"
#include "selection/deployer_selection.h"

namespace freshet::core {
namespace {

OwnApplication::Connected connected_by_deployer(PluginCatalog& catalog,
                                                const Configuration& configuration) {
  const SelectedDeployer selected = select_deployer(catalog, configuration);
  LocalDeployerServices& services = deployer_services_of_this_process();
  services.set_client_timeout(configuration.get(options::kClientTimeout).ms());
  const auto deployer = make_deployer(selected, services);
  std::shared_ptr<ClusterClient> cluster = deployer->retrieve(configuration).get();
  auto mains = services.mains_of(*cluster);
  return {std::move(cluster), std::move(mains)};
}

pid_t began_in = 0;  // before the hook is there

// exit() in main, or the end of a program's own main: the objects of its frames are not destroyed.
void tell_exit(int exit_code, void*) {
  if (::getpid() != began_in) return;  // a child that main has forked
  InProcessBackend::instance().end_application(exit_code, {});
}

}  // namespace

InProcessBackend& InProcessBackend::instance() {
  static InProcessBackend backend;
  return backend;
}

InProcessBackend::InProcessBackend()
    : translation_(process_, ProcessModules::of_this_process()),
      application_(
          [this](const Configuration& configuration) {
            return connected_by_deployer(catalog(), configuration);
          },
          [] {
            began_in = ::getpid();
            ::on_exit(tell_exit, nullptr);
          }),
      executors_(process_, *this) {
  // Made first, so that it is destroyed last: its jobs use what is here.
  RunningJobs::instance();
}

std::unique_ptr<JobClient> InProcessBackend::job_client(const Configuration& configuration) {
  const std::string id = configuration.get(options::kJobId);
  constexpr std::size_t kDigits = 32;
  if (id.size() != kDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw BadValue(options::kJobId.key(), id, configuration.origin(options::kJobId),
                   "32 hex digits in lower case, as 'fr list' shows them");
  auto job = application_.connected(configuration)->job(id);
  static_cast<void>(job->status().get());
  return job;
}

std::unique_ptr<JobClient> InProcessBackend::run_in_process(const std::string& job_graph,
                                                            const Configuration& configuration) {
  // As a cluster would: an application has the same limits wherever it runs.
  if (job_graph.size() > kMostJobGraphBytes) {
    check_size_of_job(JobGraph::from_bytes(job_graph).name, job_graph.size());
  }
  return RunningJobs::instance().start(
      std::make_unique<LocalJob>(clock_of_this_process(), job_graph, configuration));
}

}  // namespace freshet::core

extern "C" freshet::detail::ExecutionBackend* freshet_core_backend() {
  return &freshet::core::InProcessBackend::instance();
}
