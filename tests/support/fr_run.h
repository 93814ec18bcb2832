// fr-run as people call it, away from this machine's settings. FRESHET_TEST_FR_RUN is its path.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "child_process.h"
#include "scratch_folder.h"

namespace freshet::testing {

inline std::string path_from(const char* variable) {
  const char* path = std::getenv(variable);
  if (path == nullptr) throw std::runtime_error(std::string(variable) + " is not set");
  return path;
}

class FrRun {
 public:
  // Every argument, the application's path first.
  Outcome operator()(const std::vector<std::string>& arguments) const {
    return run(line(arguments), surroundings());
  }
  // With --target=local.
  Outcome local(const std::string& application, const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{application, "--target=local"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return (*this)(all);
  }
  std::vector<std::string> line(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{path_from("FRESHET_TEST_FR_RUN")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  Surroundings surroundings() const {
    Surroundings around;
    around.variables = {{"XDG_CONFIG_HOME", home_.path()},
                        {"XDG_DATA_HOME", home_.path()},
                        {"XDG_CACHE_HOME", home_.path()},
                        {"FRESHET_CONF_DIR", ""},
                        {"FRESHET_PLUGIN_PATH", ""}};
    return around;
  }

 private:
  ScratchFolder home_;
};

}  // namespace freshet::testing
