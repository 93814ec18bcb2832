// docs/users/configuration.md, made from the options themselves.
#pragma once

#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/config_option.h"

namespace freshet {

// The whole page, Markdown. Depends on the options alone, not on this machine.
FRESHET_API std::string configuration_reference_page(const std::vector<OptionInfo>& options);

}  // namespace freshet
