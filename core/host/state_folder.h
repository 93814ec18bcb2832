// Where the clusters of this user are on this host:
//
//   clusters/<id>.json     how to reach one: cluster_records.h
//   run/<id>/              its files while it lives: cluster_presence.h
//   logs/<id>/             logs, also of clusters that have ended; the last few are kept
//
// Everything is this user's alone. Sockets stand elsewhere, where paths are short.
//
// Threads    Any.
#pragma once

#include <filesystem>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

// Throws InvalidInput unless it is 1 to 64 characters of a-z 0-9 - _.
FRESHET_API void check_cluster_id(const std::string& id);

// Makes what is missing of it; the last folder for this user alone. Throws InvalidInput if it can't
// be made, is no folder, belongs to somebody else, or others may enter it.
FRESHET_API void make_private_folder(const std::filesystem::path& folder);

// Throws InvalidInput if there is such a folder, but not of this user alone.
FRESHET_API void check_private_folder(const std::filesystem::path& folder);

class FRESHET_API StateFolder {
 public:
  explicit StateFolder(std::filesystem::path root);
  // $XDG_STATE_HOME/freshet, else ~/.local/state/freshet, else
  // <temporary folder>/freshet-<user id>-state.
  static StateFolder of_this_user();

  const std::filesystem::path& root() const { return root_; }
  // None is made, unless said so.
  std::filesystem::path clusters() const { return root_ / "clusters"; }
  std::filesystem::path runs() const { return root_ / "run"; }
  std::filesystem::path run(const std::string& id) const { return runs() / id; }
  std::filesystem::path all_logs() const { return root_ / "logs"; }
  std::filesystem::path logs(const std::string& id) const { return all_logs() / id; }
  // In $XDG_RUNTIME_DIR, or the temporary folder. Short enough for sockets in it.
  std::filesystem::path sockets(const std::string& id) const;

  // Made, and private.
  std::filesystem::path make_clusters() const;
  std::filesystem::path make_run(const std::string& id) const;
  std::filesystem::path make_sockets(const std::string& id) const;
  // Takes away the logs of clusters that ended long ago.
  std::filesystem::path make_logs(const std::string& id) const;

 private:
  void make_root() const;

  std::filesystem::path root_;
};

}  // namespace freshet::core
