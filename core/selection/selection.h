// Which plugin does a job: each factory is asked, exactly one must say yes.
//
// factory_selection.h            the rule
// executor_selection.h, deployer_selection.h
//     by target
// front_end_selection.h          by file
// high_availability_selection.h  by high-availability.type
//
// Begin      factory_selection.h
// Threads    Any; loads plugins.
#pragma once

#include "selection/factory_selection.h"
