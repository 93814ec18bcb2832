// A target says where jobs run: execution.target, as in --target=NAME.
//
//   local               jobs run in this process, by the executor of that name
//   standalone          a deployer brings up a cluster for one application
//   standalone-session  the same deployer finds a cluster that runs already, for many applications
//   cluster             where the jobs of a main run that runs on a cluster itself
//
// Every text is a target. Whether a plugin stands for it is what the factories of executors and
// deployers answer.
#pragma once

#include <string>
#include <string_view>

#include "freshet/api.h"

namespace freshet {

class Configuration;

struct FRESHET_API Target {
  // The executor's or deployer's: "standalone", also for the target 'standalone-session'.
  std::string name;
  // Whether its text ends in "-session".
  bool is_session = false;

  // "standalone-session" is {"standalone", true}. text() gives the same text again.
  static Target parse(std::string_view text);
  // That of the configuration; without a name if it has none. Throws BadValue for an empty text.
  static Target of(const Configuration& configuration);

  std::string text() const;
  // The same deployer's target for a cluster that runs already.
  Target session() const { return {name, true}; }

  bool operator==(const Target&) const = default;
};

// Where jobs of a program run that names no target.
inline constexpr const char* kLocalTarget = "local";
// The cluster sets it for a main that it runs. Nobody else may ask for it.
inline constexpr const char* kTargetOnCluster = "cluster";

}  // namespace freshet
