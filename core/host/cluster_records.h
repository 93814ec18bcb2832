// Cluster records as files: clusters/<id>.json of the state folder, which only its owner reads.
//
// Threads    Any; also other processes may write and remove at any time: a record is there whole or
//            not at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/plugin/cluster_deployer.h"
#include "host/state_folder.h"
#include "posix/descriptor.h"

namespace freshet::core {

class FRESHET_API ClusterRecords {
 public:
  // `clock` outlives it and its copies.
  ClusterRecords(const Clock& clock, StateFolder folder);

  const Clock& clock() const { return *clock_; }
  const StateFolder& folder() const { return folder_; }
  std::filesystem::path path_of(const std::string& cluster_id) const;
  // Of a record with the same public key that is there already, what is empty in this one stays:
  // deployer and job manager each add what they know; a detail that is empty goes. Throws
  // InvalidInput: a bad id, no room, or one with another key, which is never replaced.
  void write(const ClusterRecord& record) const;
  // As it was, if there is none of that id any more. False: another cluster has that id now.
  bool put_back(const ClusterRecord& record) const;
  // Throws InvalidInput: none of that id, with those that there are and where it looked; a file
  // that others may read; one that is no record.
  ClusterRecord read(const std::string& cluster_id) const;
  std::optional<ClusterRecord> find(const std::string& cluster_id) const;
  // By id. One that can't be read is left out.
  std::vector<ClusterRecord> all() const;
  // Why each of those that are left out can't be read.
  std::vector<std::string> unreadable() const;
  // Throws InvalidInput that names them if there are any: what is there can't be told.
  void check_all_readable() const;
  void remove(const std::string& cluster_id) const;

  // By cluster.id, or the only one there is. Throws InvalidInput that names where it looked, lists
  // the several, or names one that can't be read and might be meant.
  ClusterRecord choose(const Configuration& configuration) const;
  // Waits for one that has an endpoint and, unless it is empty, that id. False: not in time, or
  // `stop`, a descriptor if not negative, is readable.
  bool wait_for_endpoint(const std::string& cluster_id, std::int64_t patience_ms,
                         ClusterRecord& record, int stop = -1) const;
  // The same for a cluster whose record was written before: false also once it is gone.
  bool wait_for_endpoint_of_known(const std::string& cluster_id, std::int64_t patience_ms,
                                  ClusterRecord& record, int stop = -1) const;

 private:
  template <class F>
  void for_each(F&& found) const;
  void check_folders() const;
  // Who writes holds it, in one process at a time.
  Descriptor lock() const;
  void put(const ClusterRecord& record) const;
  enum class Looked { kFound, kNotYet, kGone };
  bool wait(const std::function<Looked()>& look, std::int64_t patience_ms, int stop) const;

  const Clock* clock_;
  StateFolder folder_;
};

}  // namespace freshet::core
