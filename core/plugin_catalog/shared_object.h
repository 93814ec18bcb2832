// The one place that loads shared objects. They are never unloaded: vtables, thread-local
// destructors and descriptors of theirs may be in use until the process ends.
#pragma once

#include <filesystem>

#include "freshet/plugin.h"
#include "plugin_catalog/plugin_call.h"
#include "plugin_catalog/plugin_file.h"

namespace freshet {

// The file's identity without loading it, refused if its build tag can't run in this process.
FRESHET_API PluginFile read_compatible_file(const std::filesystem::path& path);

// Loads a file (now, local) that was read before and compares what it exports with what was read.
// Throws RefusedFile: if a library or symbol is missing, none of its code has run; if it was
// replaced since it was read, its constructors may have. One whose constructors have not returned
// after `patience` is named in the log; the loader can't be left, so they are waited for. [any
// thread]
FRESHET_API const freshet_plugin_v1& load_shared_object(
    const PluginFile& file, std::chrono::nanoseconds patience = kPluginPatience);

}  // namespace freshet
