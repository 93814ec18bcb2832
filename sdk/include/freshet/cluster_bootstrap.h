// The contract by which any deployer brings up the processes of a cluster, `fr jobmanager` and
// `fr taskmanager`: what they are handed, and what they write into the cluster's record.
//
//   auto [record, job_manager] = plan_cluster(services, "mine", ClusterMode::kSession, configuration);
//   services.write_record(record);  // before any process, so that kill() finds what there is
//   for (const ClusterProcess& each : {job_manager, task_manager(services, record, "tm-1")})
//     services.start_detached(record.cluster_id, each.name, each.command, each.handed_over);
//   auto client = services.connect(record, 30'000);  // once the job manager has announced itself
//
// Secrets    The text that is handed over has the secret key of the job manager: it goes by
//            descriptor 3 alone, a file of mode 0600 or a pipe, never by arguments or the environment.
// Comes back The job manager writes its address, its process id and its high-availability service
//            into the record; for task managers that have no record (another host, a container) it
//            writes run/<id>/join.json in its state folder, which they take by --join.
// Versions   The text has a version, which newer versions of Freshet go on to read. One without a
//            version is of version 1, which deployers wrote as JSON of their own.
// Threads    Any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/plugin/cluster_deployer.h"

namespace freshet {

enum class ClusterMode : std::uint8_t {
  kSession,      // takes applications until it is shut down
  kApplication,  // ends with the one that it gets
};
// "session", "application": as --mode takes it.
FRESHET_API const char* name_of(ClusterMode mode);
// Nothing if it is neither.
FRESHET_API std::optional<ClusterMode> cluster_mode_of(const std::string& name);

// Option's key to its text.
using ClusterSettings = std::map<std::string, std::string>;
// What the processes of a cluster get of a client's configuration: the options of cluster scope,
// those of the high-availability service, and where plugins are. Throws InvalidInput that names the
// option and its origin if a text is not UTF-8.
FRESHET_API ClusterSettings cluster_settings(const Configuration& configuration);

// What `fr jobmanager --inherited` reads from descriptor 3. The public key stands in the record.
struct FRESHET_API JobManagerHandOver {
  std::string secret_key;            // its own, 40 characters
  std::vector<std::string> clients;  // public keys of those who may enter as clients
  ClusterSettings settings;

  std::string to_text() const;
  // Throws InvalidInput that names the field, what it is, what it has to be, and the fix. No message
  // has a key in it.
  static JobManagerHandOver from_text(const std::string& text);
};

// What `fr taskmanager --inherited` reads from descriptor 3.
struct FRESHET_API TaskManagerHandOver {
  ClusterSettings settings;

  std::string to_text() const;
  static TaskManagerHandOver from_text(const std::string& text);  // throws as the other
};

// The arguments of DeployerServices::start_detached().
struct ClusterProcess {
  std::string name;                  // "jobmanager", or the name of the task manager
  std::vector<std::string> command;  // [0] is DeployerServices::program()
  std::string handed_over;           // secret
};

struct ClusterBootstrap {
  ClusterRecord record;
  ClusterProcess job_manager;
};

// A cluster with new keys. Its id is cluster.id, or <deployer>-<8 hex digits>. Throws InvalidInput if
// a cluster of that id is there already. Starts and writes nothing.
FRESHET_API ClusterBootstrap plan_cluster(DeployerServices& services, const std::string& deployer,
                                          ClusterMode mode, const Configuration& configuration);

// A task manager of that cluster, whose settings are those in the record. `name` is its id in the
// cluster, of which no other task manager may have had it. Throws InvalidInput: the record is invalid.
FRESHET_API ClusterProcess task_manager(const DeployerServices& services,
                                        const ClusterRecord& record, const std::string& name);

// What Freshet's own processes keep among ClusterRecord::details; all other details are the
// deployer's. plan_cluster() writes `mode` and `settings`, the job manager the others.
struct FRESHET_API ClusterFacts {
  static constexpr const char* kMode = "mode";
  static constexpr const char* kSettings = "settings";
  static constexpr const char* kJobManager = "jobmanager";
  static constexpr const char* kHighAvailability = "high-availability";

  // Nothing if the record has none, or one that this version does not know.
  static std::optional<ClusterMode> mode(const ClusterRecord& record);
  // Empty if the record has none. Throws InvalidInput if they can't be read.
  static ClusterSettings settings(const ClusterRecord& record);
  // Its process id; 0 before it has announced itself.
  static std::int64_t job_manager(const ClusterRecord& record);
  // The name of the service that keeps its jobs; empty: none.
  static std::string high_availability(const ClusterRecord& record);

  static void set_mode(ClusterRecord& record, ClusterMode mode);
  static void set_settings(ClusterRecord& record, const ClusterSettings& settings);
  static void set_job_manager(ClusterRecord& record, std::int64_t process);
  static void set_high_availability(ClusterRecord& record, const std::string& service);
};

}  // namespace freshet
