// The application whose main this process runs, and the clusters to which its jobs go.
//
// Two ways: a cluster runs this main (fr runner) and knows of it; or main runs in a client
// (fr-run with execution.main=client, or a program of its own), and each cluster is notified when
// main begins and how it has ended.
//
// Threads    Any.
// States     not begun -> begun, with the first cluster that is notified -> over. Once it is over
//            no cluster is notified any more.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/mains_in_client.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/configuration.h"
#include "process/main_end.h"

namespace freshet::core {

class FRESHET_API OwnApplication {
 public:
  struct Connected {
    std::shared_ptr<ClusterClient> cluster;
    // Null where nobody is to be notified, as by a client that a deployer has made by itself: its
    // cluster hears of this application by the first job.
    std::shared_ptr<MainsInClient> mains;
  };
  // Connects to the cluster that a configuration names. Throws InvalidInput or ClusterUnreachable.
  using Connect = std::function<Connected(const Configuration&)>;

  // `has_begun` is called once: when the first cluster has been notified of this main.
  OwnApplication(Connect connect, std::function<void()> has_begun);

  // The one cluster to which this process's jobs go, whatever the configuration names: of a main
  // that runs on a cluster. Before that main begins.
  void set_cluster(std::shared_ptr<ClusterClient> cluster, std::string application_id);

  // Main runs in this process, and its jobs go to the cluster that the configuration names: that is
  // notified of `name`. Without this call the first job does so, with the program's name. Throws
  // InvalidInput (the cluster refuses it, because another one has its id) or ClusterUnreachable.
  void begin(const Configuration& configuration, const std::string& name);
  // The cluster of that configuration, which knows of this main then. Each is connected to once.
  // Throws as begin().
  std::shared_ptr<ClusterClient> cluster(const Configuration& configuration);
  // The same, for somebody who submits nothing: it hears nothing of this main.
  std::shared_ptr<ClusterClient> connected(const Configuration& configuration);
  // How that main has ended: notifies all clusters that know of it, and waits for their answers,
  // but not for long. Does so once, and nothing if main has not begun.
  void end(int exit_code, const MainEnd& end);

  // Empty before the first cluster is connected to.
  std::string id() const;
  // Whether a cluster that knew of this main has no record of it any more.
  bool has_lost_records() const;

 private:
  Connected connection(const Configuration& configuration);
  void begin_at(const std::shared_ptr<MainsInClient>& mains);

  const Connect connect_;
  const std::function<void()> has_begun_;

  mutable std::mutex mutex_;
  std::shared_ptr<ClusterClient> own_cluster_;
  std::map<std::string, Connected> connected_;  // by target and id
  std::string id_, name_;

  mutable std::mutex notifying_;  // held while clusters are notified
  std::vector<std::shared_ptr<MainsInClient>> notified_;
  std::string ticket_;
  bool is_over_ = false;
};

}  // namespace freshet::core
