// The one place that loads shared objects. They are never unloaded: vtables, thread-local
// destructors and descriptors of theirs may be in use until the process ends.
#pragma once

#include <filesystem>
#include <string_view>

#include "freshet/plugin.h"
#include "shared_objects/plugin_call.h"
#include "shared_objects/plugin_file.h"

namespace freshet::core {

// The file's identity without loading it, refused if its build tag can't run in this process.
FRESHET_API PluginFile read_compatible_file(const std::filesystem::path& path);

// Loads a file (now, local) that was read before and compares what it exports with what was read.
// Throws RefusedFile; none of its code has run if a library or symbol is missing, or if it was
// replaced since it was read; the same holds of libraries that it finds relative to itself
// ($ORIGIN). It keeps the path's name for dladdr() and debuggers. One whose constructors have not
// returned after `patience` is named in the log; the loader can't be left, so they are waited for.
// [any thread]
FRESHET_API const freshet_plugin_v1& load_shared_object(
    const PluginFile& file, std::chrono::nanoseconds patience = kPluginPatience);

// Whether a loaded module's name (dladdr) is one that it has only until its constructors are done.
bool is_being_loaded(std::string_view module_name);

}  // namespace freshet::core
