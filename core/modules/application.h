// From the files of an application to its main: judged, copied, loaded from the copy, run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "modules/loaded_module.h"
#include "modules/module_store.h"

namespace freshet::core {

struct LoadedApplication {
  StoredApplication stored;
  const LoadedModule& module;  // the one with the main
};

// `main_file` is a module made with FRESHET_APPLICATION; `shipped` are files that it needs beside
// itself: those that are operator libraries or connectors are loaded, too. Throws RefusedFile (nothing was copied or run) or InvalidInput; texts name the files as
// they were given, not the copies.
FRESHET_API LoadedApplication load_application(const ModuleStore& store,
                                               const std::filesystem::path& main_file,
                                               const std::vector<std::filesystem::path>& shipped);

// The same from a folder that holds just these files, which nobody changes: nothing is copied.
// Names are plain. Throws InvalidInput, whose text has the plain names and not the folder.
FRESHET_API LoadedApplication load_placed_application(const std::filesystem::path& folder,
                                                      const std::string& main_name,
                                                      const std::vector<std::string>& shipped);

struct MainResult {
  freshet_main_outcome outcome = FRESHET_MAIN_RETURNED;
  int exit_code = 0;  // what main returned
  std::string error;  // what it threw
};

// On the calling thread, which should be the process's main one. arguments[0] follows argv[0],
// which is the path that was given for the application.
FRESHET_API MainResult run_main(const LoadedApplication& application, const std::string& program,
                                const std::vector<std::string>& arguments);

}  // namespace freshet::core
