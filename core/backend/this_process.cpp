#include "backend/this_process.h"

namespace freshet::core {

const Clock& clock_of_this_process() { return SystemClock::instance(); }

LocalDeployerServices& deployer_services_of_this_process() {
  static LocalDeployerServices services(clock_of_this_process(), StateFolder::of_this_user());
  return services;
}

}  // namespace freshet::core
