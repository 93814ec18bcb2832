// Which high-availability service high-availability.type means: every plugin of that kind is asked
// whether it is compatible with the configuration, and exactly one must say yes. 'none' is core's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/plugin/high_availability.h"

namespace freshet::core {

// Nobody said yes. Tells what was found, what was refused, where it looked, and the nearest name.
class FRESHET_API NoHighAvailabilityService final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~NoHighAvailabilityService() override;
};

// More than one said yes. Tells their names and files.
class FRESHET_API SeveralHighAvailabilityServices final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~SeveralHighAvailabilityServices() override;
};

// Whether a plugin is meant: anything but 'none'.
FRESHET_API bool has_high_availability(const Configuration& configuration);
// Looks for plugins where this process does; for none with 'none'. What the environment says of the
// plugin's own options counts, too, below what is set on the command line. To `skipped` are added
// the plugins that could not be asked, and why. Throws the errors above, RefusedFile, BadValue, and
// what the plugin's create() throws. [any thread]
FRESHET_API std::unique_ptr<HighAvailability> make_high_availability(
    const Configuration& configuration, const std::string& cluster_id,
    std::vector<std::string>& skipped);

}  // namespace freshet::core
