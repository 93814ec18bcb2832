// How a tool finds the cluster that it is about: the words, and the connection.
#pragma once

#include <memory>
#include <string>

#include "backend/this_process.h"
#include "freshet/cluster_client.h"
#include "freshet/configuration.h"
#include "freshet/duration.h"
#include "freshet/options.h"
#include "host/cluster_presence.h"
#include "host/deployer_services.h"

namespace freshet::tool {
using namespace core;

// The record of the cluster that the configuration names, or the only one there is; with
// `wait`, one that comes within client.timeout. Throws InvalidInput that names where it looked.
inline ClusterRecord find_cluster(const Configuration& configuration, bool wait) {
  const ClusterRecords& records = deployer_services_of_this_process().cluster_records();
  remove_all_remains(records);
  ClusterRecord record;
  if (wait && records.wait_for_endpoint(configuration.find(options::kClusterId).value_or(""),
                                        configuration.get(options::kClientTimeout).ms(), record))
    return record;
  return records.choose(configuration);
}

inline std::unique_ptr<ClusterClient> connect_to(const ClusterRecord& record,
                                                 const Configuration& configuration) {
  LocalDeployerServices& services = deployer_services_of_this_process();
  services.set_client_timeout(configuration.get(options::kClientTimeout).ms());
  return services.connect(record, configuration.get(options::kClientTimeout).ms()).get();
}

// A bare path as the cluster's client shall read it, whatever its working folder; URLs as they are.
inline std::string location_of(const std::string& given) {
  if (given.find("://") != std::string::npos) return given;
  std::error_code ignored;
  return std::filesystem::absolute(given, ignored).native();
}

// A file as it is given on a command line; a URL may end in '#sha256=' and 64 hex digits.
inline Artifact artifact_of(const std::string& given) {
  static const std::string mark = "#sha256=";
  const std::size_t at =
      given.find("://") == std::string::npos ? std::string::npos : given.find(mark);
  if (at == std::string::npos) return {location_of(given), {}};
  return {given.substr(0, at), given.substr(at + mark.size())};
}

}  // namespace freshet::tool
