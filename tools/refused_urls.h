// URLs where a file is needed: they are fetched by clusters alone.
#pragma once

#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/plugin/file_system.h"

namespace freshet::tool {

// For whoever loads the application in this process. Throws InvalidInput, without the secrets that
// a URL may hold.
inline void refuse_urls(const std::string& application, const std::vector<std::string>& shipped) {
  std::vector<std::string> given{application};
  given.insert(given.end(), shipped.begin(), shipped.end());
  for (const std::string& each : given) {
    if (each.find("://") == std::string::npos) continue;
    throw InvalidInput("'" + shown_url(each) +
                       "' is a URL, which only a cluster fetches, and this is loaded here: let "
                       "main run on a cluster (fr-run with --target=standalone, or "
                       "--target=standalone-session), or download it and give the path");
  }
}

}  // namespace freshet::tool
