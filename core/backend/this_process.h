// What there is once in a process, for environments, which user code makes: nobody could hand a clock
// in. Here alone core takes the system's clock by itself; all else gets one.
//
// Threads    Any.
#pragma once

#include "clock/clock.h"
#include "freshet/api.h"
#include "host/deployer_services.h"

namespace freshet::core {

// The system's; everything that the backend makes in this process gets it.
FRESHET_API const Clock& clock_of_this_process();

// For this user's state folder.
FRESHET_API LocalDeployerServices& deployer_services_of_this_process();

}  // namespace freshet::core
