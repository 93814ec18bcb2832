// All that an application includes: to build and run jobs, to set options, to share objects among
// tasks. Authors of connectors and other plugins include what their pages name.
#pragma once

#include "freshet/application.h"
#include "freshet/await.h"
#include "freshet/data_stream.h"
#include "freshet/environment.h"
#include "freshet/options.h"
#include "freshet/shared_resource.h"
