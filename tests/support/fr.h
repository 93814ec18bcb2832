// fr as people call it, away from this machine's settings. FRESHET_TEST_FR is its path.
#pragma once

#include <string>
#include <vector>

#include "child_process.h"
#include "fr_run.h"

namespace freshet::testing {

class Fr {
 public:
  Outcome operator()(const std::vector<std::string>& arguments) const {
    return in(surroundings(), arguments);
  }
  Outcome in(const Surroundings& around, const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{path_from("FRESHET_TEST_FR")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(all, around);
  }
  Surroundings surroundings() const { return fr_run_.surroundings(); }

 private:
  FrRun fr_run_;
};

}  // namespace freshet::testing
