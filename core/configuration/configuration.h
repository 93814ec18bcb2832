// The door of this folder: a Configuration from everything outside main.
//
// Sources, each stronger than the one before: defaults, freshet.yaml, the environment, the command
// line; main comes last, by Configuration::set(). Begin with load_configuration(). Any thread.
#pragma once

#include <string>
#include <vector>

#include "configuration/environment.h"
#include "configuration/yaml_file.h"
#include "freshet/api.h"
#include "freshet/configuration.h"

namespace freshet::core {

// What a tool's flag says, translated: '--parallelism 4' is {"parallelism.default", "4",
// "--parallelism"}.
struct FlagSetting {
  std::string key;
  std::string text;
  std::string flag = "-D";
};

struct ConfigurationSources {
  std::string file;                // --config; empty: search
  std::vector<FlagSetting> flags;  // in the order given; the last of a key wins
  Environment environment;         // process_environment(), or a test's own
};

// 'key=value' as given to -D. Throws InvalidInput if it is not that.
FRESHET_API FlagSetting parse_definition(const std::string& definition);

// Where freshet.yaml is looked for, in order. FRESHET_CONF_DIR, if set, is the only place.
FRESHET_API std::vector<std::string> configuration_file_places(const Environment& environment);

// Throws BadConfigurationFile, and BadValue for a value that a declared option refuses. A file that
// is named by --config or FRESHET_CONF_DIR must exist; without one, none need exist.
FRESHET_API Configuration load_configuration(const ConfigurationSources& sources);

// The same before values are judged: validate() does.
FRESHET_API Configuration gathered_configuration(const ConfigurationSources& sources);

// Once an application or plugin was loaded: reads from the environment what its options add, and
// judges what was set for them. Values set since, by main too, stay. Throws BadValue.
FRESHET_API void adopt_new_options(Configuration& configuration, const Environment& environment);

// Lines for people: unknown and deprecated keys, unknown variables. For after modules are loaded.
FRESHET_API std::vector<std::string> configuration_warnings(const Configuration& configuration,
                                                            const Environment& environment);

}  // namespace freshet::core
