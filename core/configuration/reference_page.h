// docs/users/configuration.md, made from the options themselves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/config_option.h"

namespace freshet::core {

// The whole page, Markdown. Depends on the options alone, not on this machine. `plugins` says whose
// they are, such as "executor 'name'", by key; those that it does not have are Freshet's.
FRESHET_API std::string configuration_reference_page(
    const std::vector<OptionInfo>& options, const std::map<std::string, std::string>& plugins = {});

}  // namespace freshet::core
