#include "cluster/artifact_folders.h"

#include "freshet/error.h"

namespace freshet::tool {

Future<std::string> ArtifactFolders::fetch(const WireArtifact& artifact) {
  return make_failed_future<std::string>(std::make_exception_ptr(
      InvalidInput("'" + artifact.url +
                   "' can't be fetched: this cluster fetches nothing; give a path, which the "
                   "client uploads")));
}

}  // namespace freshet::tool
