// The files of one cluster in the shared folder: who leads, in which term, where, and what is kept.
//
//   lock     held by the leader, by flock(2), which the kernel takes from it however it ends
//   term     the number of the last leadership
//   leader   where it listens; gone when it has given up
//   writing  held for the time of a grant or a write, so that no write of a former leader comes
//            after the grant of the next
//   graphs/  results/    a file per job
//
// Threads    One at a time.
// Errors     StoreUnavailable with path and reason, LeadershipLost with both terms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "freshet/plugin/high_availability.h"

namespace shared_folder {

class Folder {
 public:
  explicit Folder(std::filesystem::path path);
  ~Folder();  // leads no more
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // The new term, if nobody else leads now.
  std::optional<std::uint64_t> try_to_lead();
  // Whether the lock that this one holds is still the one that counts: who removes the file takes
  // the leadership away.
  bool still_leads() const;
  void give_up();

  void publish(const freshet::LeaderAddress& address);
  freshet::LeaderAddress leader() const;

  // `kind`: "graphs" or "results".
  void put(std::uint64_t term, const std::string& kind, const std::string& job_id,
           const std::string& bytes);
  void remove(std::uint64_t term, const std::string& kind, const std::string& job_id);
  std::vector<std::string> ids(const std::string& kind) const;
  std::optional<std::string> get(const std::string& kind, const std::string& job_id) const;

 private:
  class Writing;
  std::uint64_t last_term() const;
  void check(std::uint64_t term) const;
  void replace(const std::filesystem::path& file, const std::string& bytes) const;

  const std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace shared_folder
