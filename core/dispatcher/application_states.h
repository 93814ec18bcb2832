// The states of an application, and which may follow which.
#pragma once

#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "states/states.h"

namespace freshet::core {

template <>
FRESHET_API bool may_follow(ApplicationStatus from, ApplicationStatus to);

}  // namespace freshet::core
