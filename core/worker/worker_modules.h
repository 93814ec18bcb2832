// Brings the modules of a job into a worker: shipped ones from their local copies, installed ones
// through the plugin catalog.
#pragma once

#include <map>
#include <string>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::core {

// `copies` is the path of each shipped file by its sha256. Those that are loaded already stay.
// Throws InvalidInput that names the module, what was found and the mend, and RefusedFile.
FRESHET_API void load_job_modules(const JobGraph& graph,
                                  const std::map<std::string, std::string>& copies,
                                  const Configuration& configuration);

}  // namespace freshet::core
