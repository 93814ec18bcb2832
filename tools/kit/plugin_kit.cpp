// plugin_kit FOLDER JOB...: runs the jobs one after the other. See kit_jobs.h.
#include <filesystem>
#include <string>

#include "freshet/application.h"
#include "freshet/error.h"
#include "kit_jobs.h"

namespace {

int plugin_kit(int argc, char** argv) {
  if (argc < 3) throw freshet::InvalidInput("expected FOLDER JOB...: it is fr's own");
  for (int i = 2; i < argc; ++i) {
    const std::string job = argv[i];
    try {
      freshet::kit::run_job(job, (std::filesystem::path(argv[1]) / job).string());
    } catch (const std::exception& error) {
      throw freshet::Error("job '" + job + "': " + error.what());
    }
  }
  return 0;
}

}  // namespace

FRESHET_APPLICATION(plugin_kit, "freshet-plugin-kit", FRESHET_VERSION_STRING);
