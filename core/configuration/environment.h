// Settings in environment variables: FRESHET_PARALLELISM_DEFAULT=4 sets parallelism.default.
//
// A variable's name is FRESHET_ and the key in capitals, with '_' for each '.' and '-'. The way
// back needs the option, so only declared options can be set; those of an application count once it
// is loaded and the environment is read again.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"

namespace freshet::core {

using Environment = std::map<std::string, std::string>;  // variable to value

// A copy of this process's environment. No other thread may change it meanwhile.
FRESHET_API Environment process_environment();

// 'FRESHET_PARALLELISM_DEFAULT' for 'parallelism.default'.
FRESHET_API std::string environment_variable(std::string_view key);

// What the environment sets of the options declared so far.
FRESHET_API Configuration environment_settings(const Environment& environment);

// A line for each FRESHET_ variable that no option and no part of Freshet reads.
FRESHET_API std::vector<std::string> environment_warnings(const Environment& environment);

}  // namespace freshet::core
