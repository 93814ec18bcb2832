#include "freshet/cluster_client.h"
#include "freshet/cluster_deployer.h"

namespace freshet {

ClusterUnreachable::~ClusterUnreachable() = default;
ClusterListener::~ClusterListener() = default;
ClusterClient::~ClusterClient() = default;
DeployerServices::~DeployerServices() = default;
ClusterDeployer::~ClusterDeployer() = default;
ClusterDeployerFactory::~ClusterDeployerFactory() = default;

const char* name_of(ApplicationStatus status) {
  switch (status) {
    case ApplicationStatus::kCreated:
      return "created";
    case ApplicationStatus::kRunning:
      return "running";
    case ApplicationStatus::kCanceling:
      return "canceling";
    case ApplicationStatus::kFinished:
      return "finished";
    case ApplicationStatus::kFailed:
      return "failed";
    case ApplicationStatus::kCanceled:
      return "canceled";
  }
  return "unknown";
}

bool is_terminal(ApplicationStatus status) {
  return status == ApplicationStatus::kFinished || status == ApplicationStatus::kFailed ||
         status == ApplicationStatus::kCanceled;
}

Future<void> ClusterDeployer::resize(const std::string& cluster_id, std::uint32_t task_managers) {
  return make_failed_future<void>(std::make_exception_ptr(InvalidInput(
      "cluster '" + cluster_id + "' can't be brought to " + std::to_string(task_managers) +
      " task managers: its deployer starts none on demand; start them by 'fr taskmanager "
      "--join'")));
}

}  // namespace freshet
