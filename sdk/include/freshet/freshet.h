// All that a job needs.
#pragma once

#include "freshet/application.h"
#include "freshet/await.h"
#include "freshet/data_stream.h"
#include "freshet/environment.h"
