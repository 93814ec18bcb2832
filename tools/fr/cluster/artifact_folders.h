// Fetches what is on the job manager's own host already: local:///path and file:///path.
#pragma once

#include "blobs/blob_store.h"
#include "dispatcher/artifact_fetcher.h"

namespace freshet::tool {

class ArtifactFolders final : public ArtifactFetcher {
 public:
  explicit ArtifactFolders(BlobStore& blobs) : blobs_(blobs) {}
  Future<std::string> fetch(const WireArtifact& artifact, ArtifactUse use) override;

 private:
  BlobStore& blobs_;
};

}  // namespace freshet::tool
