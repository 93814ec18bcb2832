// freshet.yaml: nested maps of scalars and of lists of scalars, flattened to dotted keys.
//
//   pipeline:                       pipeline.max-parallelism = 256     (freshet.yaml:2)
//     max-parallelism: 256
//   plugin.dirs: [/opt/a, /opt/b]   plugin.dirs = /opt/a,/opt/b        (freshet.yaml:3)
#pragma once

#include <string>

#include "freshet/api.h"
#include "freshet/configuration.h"

namespace freshet::core {

// The file can't be read, is no YAML, or holds what a setting can't be; names file and line.
class FRESHET_API BadConfigurationFile : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~BadConfigurationFile() override;
};

// Throws BadConfigurationFile.
FRESHET_API Configuration read_yaml_file(const std::string& path);

// The same for text; `name` stands for the file in origins and errors.
FRESHET_API Configuration parse_yaml(const std::string& text, const std::string& name);

}  // namespace freshet::core
