#include "cluster/artifact_folders.h"

#include "freshet/error.h"

namespace freshet::tool {

Future<std::string> ArtifactFolders::fetch(const WireArtifact& artifact, ArtifactUse) {
  return make_failed_future<std::string>(std::make_exception_ptr(
      InvalidInput("'" + artifact.url +
                   "' can't be fetched: this cluster fetches by https and http alone; give a "
                   "path, which the client uploads")));
}

}  // namespace freshet::tool
