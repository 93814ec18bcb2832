#include "freshet/cluster_client.h"
#include "freshet/plugin/cluster_deployer.h"

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

namespace {

Future<std::vector<std::string>> no_resize(const ClusterDeployer& deployer,
                                           const std::string& cluster_id) {
  return make_failed_future<std::vector<std::string>>(std::make_exception_ptr(InvalidInput(
      "cluster '" + cluster_id + "' can't be resized: its deployer (" + deployer.describe() +
      ") starts and ends no task managers of a cluster that runs; start them by 'fr "
      "taskmanager'")));
}

}  // namespace

Future<std::vector<std::string>> ClusterDeployer::resize(const std::string& cluster_id,
                                                         std::uint32_t) {
  return no_resize(*this, cluster_id);
}

Future<std::vector<std::string>> ClusterDeployer::task_managers(const std::string& cluster_id) {
  return no_resize(*this, cluster_id);
}

}  // namespace freshet
