#include "crash/symbolizer.h"

#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>

namespace freshet::core {
namespace fs = std::filesystem;

std::string symbolizer_program() {
  Dl_info core{};
  if (::dladdr(reinterpret_cast<const void*>(&symbolizer_program), &core) == 0) return {};
  std::error_code ignored;
  // <prefix>/<libdir>, whose depth differs, or core/ of a build folder.
  fs::path folder = fs::canonical(core.dli_fname, ignored).parent_path();
  for (int up = 0; up < 3 && folder.has_relative_path(); ++up) {
    folder = folder.parent_path();
    for (const char* place : {"libexec/freshet/fr-symbolizer", "tools/symbolizer/fr-symbolizer"}) {
      const fs::path found = folder / place;
      if (::access(found.c_str(), X_OK) == 0 && fs::is_regular_file(found, ignored))
        return found.native();
    }
  }
  return {};
}

}  // namespace freshet::core
