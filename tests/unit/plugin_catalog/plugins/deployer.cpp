// A deployer for targets that begin with 'moor', which throws, hangs or makes nothing for others.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

// Until the file that FRESHET_TEST_RELEASE names is there.
void hang() {
  const char* const release = std::getenv("FRESHET_TEST_RELEASE");
  while (release != nullptr) {
    if (std::FILE* file = std::fopen(release, "r")) {
      std::fclose(file);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

class MooringFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return DEPLOYER_NAME; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    // What hangs is never joined: it must not read what ends with the process.
    if (std::getenv("FRESHET_TEST_CALM") != nullptr) {
      hang();
      return false;
    }
    const std::string target = configuration.find(freshet::options::kExecutionTarget).value_or("");
    if (target == "storm") throw std::runtime_error("not in this weather");
    if (target == "flood") throw 7;
    return target.rfind("moor", 0) == 0;
  }
  std::unique_ptr<freshet::ClusterDeployer> create(freshet::DeployerServices&) const override {
    if (std::getenv("FRESHET_TEST_NO_ROPE") != nullptr) throw std::runtime_error("no rope");
    return nullptr;
  }
};

}  // namespace

FRESHET_DEPLOYER_PLUGIN(DEPLOYER_NAME, "0.1.0", MooringFactory);
