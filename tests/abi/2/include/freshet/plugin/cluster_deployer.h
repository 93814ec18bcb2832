// Cluster deployers bring up a cluster, find it again, and kill it. They are plugins (kind
// "deployer"): core asks every factory whether it is compatible with the configuration, and exactly
// one must say yes, as for executors.
//
// Every call may be repeated, also after a crash halfway. None runs code of the user's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/configuration.h"

namespace freshet {

// By which another process finds a cluster again. Kept by core in a file that only its owner reads:
// <state folder>/clusters/<id>.json, mode 0600.
struct ClusterRecord {
  std::string cluster_id;  // a-z 0-9 - _ ; 1 to 64 characters
  std::string deployer;
  std::string endpoint;    // of the job manager; empty until it is known
  std::string public_key;  // the job manager's
  std::string client_key;  // the secret key with which clients enter
  std::int64_t since_ms = 0;
  // The deployer's own, such as process ids, beside those that Freshet keeps there (ClusterFacts in
  // freshet/cluster_bootstrap.h). Writing an empty one takes it away.
  std::map<std::string, std::string> details;
};

// What core offers to a deployer. Threads: any. Lives as long as the process.
class FRESHET_API DeployerServices {
 public:
  virtual ~DeployerServices();
  // Absolute path of the program `fr`, whose commands jobmanager and taskmanager are the processes.
  virtual std::string program() const = 0;
  // Connects by the record; the future fails with ClusterUnreachable after `patience_ms`.
  virtual Future<std::unique_ptr<ClusterClient>> connect(const ClusterRecord& record,
                                                         std::int64_t patience_ms) = 0;
  // Public and secret key, 40 characters each.
  virtual std::pair<std::string, std::string> make_key_pair() = 0;
  virtual void write_record(const ClusterRecord& record) = 0;
  // Throws InvalidInput that names where it looked if there is none of that id, or if the file may
  // be read by others.
  virtual ClusterRecord read_record(const std::string& cluster_id) const = 0;
  virtual std::vector<ClusterRecord> records() const = 0;
  // Where they are looked for: for errors.
  virtual std::string records_folder() const = 0;
  // Also the folders and sockets that a killed cluster has left. Nothing if there is none.
  virtual void remove_record(const std::string& cluster_id) = 0;
  // Starts a process that belongs to nobody (a session and log of its own) and returns its id. It
  // reads `inherited` from descriptor 3. Its output goes to <log folder>/<name>.log.
  virtual std::int64_t start_detached(const std::string& cluster_id, const std::string& name,
                                      const std::vector<std::string>& command,
                                      const std::string& inherited) = 0;
  // For a deployer that reads a record, starts or ends processes by it and writes it again: as long
  // as what it returns is held, nobody else of this host holds that for this cluster. Waits for
  // whoever does. Throws InvalidInput if that takes too long, or if the cluster does not live here.
  virtual std::shared_ptr<void> lock_cluster(const std::string& cluster_id) = 0;
};

class FRESHET_API ClusterDeployer {
 public:
  virtual ~ClusterDeployer();
  // Both return once the job manager answers. The cluster id comes from cluster.id, or is drawn.
  virtual Future<std::unique_ptr<ClusterClient>> deploy_session(
      const Configuration& configuration) = 0;
  virtual Future<std::unique_ptr<ClusterClient>> deploy_application(
      const ApplicationSpec& application, const Configuration& configuration) = 0;
  // By cluster.id. Throws InvalidInput, or fails with ClusterUnreachable.
  virtual Future<std::unique_ptr<ClusterClient>> retrieve(const Configuration& configuration) = 0;
  // Ends what is left of it, whatever state it is in, and removes its record. `fr cluster stop`
  // calls it, also when the cluster has ended in order: its record is there then, as it was. Other
  // calls may find none, and then there is nothing to do.
  virtual Future<void> kill(const std::string& cluster_id) = 0;
  // One line for people: what it deploys, and where.
  virtual std::string describe() const = 0;
  // Brings the task managers that it has started for this cluster to that number, and completes
  // with the names of those that it keeps then, oldest first: each registers under its name. The
  // record alone tells how: the caller may be another process, such as the job manager, and has
  // another configuration. Those that have died do not count, those that people have started
  // neither.
  //
  // When some are to go, the job manager decides which (ClusterClient::release_task_managers()),
  // and none that holds workers does. If too few can go, it fails with InvalidInput that names
  // those that are left; what could go has gone. Fails with InvalidInput where a deployer can't do
  // this, as by default.
  virtual Future<std::vector<std::string>> resize(const std::string& cluster_id,
                                                  std::uint32_t task_managers);
  // The names of those that it keeps now.
  virtual Future<std::vector<std::string>> task_managers(const std::string& cluster_id);
};

// Stateless. An exception from is_compatible_with() makes core skip the plugin with a warning.
class FRESHET_API ClusterDeployerFactory {
 public:
  virtual ~ClusterDeployerFactory();
  // The first word of its targets: 'standalone' also stands for 'standalone-session'.
  virtual const char* name() const = 0;
  // Reads the configuration alone: no files, no network.
  virtual bool is_compatible_with(const Configuration& configuration) const = 0;
  // `services` outlives the deployer.
  virtual std::unique_ptr<ClusterDeployer> create(DeployerServices& services) const = 0;
};

}  // namespace freshet
