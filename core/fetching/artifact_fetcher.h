// How the job manager gets the files of an application that are not blobs yet: by URL.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "freshet/api.h"
#include "freshet/future.h"
#include "messages/client_messages.h"

namespace freshet::core {

// kMain: refused unless it is an application. kShipped: whatever main needs beside it.
enum class ArtifactUse { kMain, kShipped };

// Whether a file is still wanted: set by who asked for it, read by whoever fetches, on any thread.
using FetchWish = std::shared_ptr<const std::atomic<bool>>;

class FRESHET_API ArtifactFetcher {
 public:
  virtual ~ArtifactFetcher();
  // Fetches `artifact.url` into the blobs of the job manager, checks the hash if one is given, and
  // completes with the hash. May complete on any thread. Fails with InvalidInput that names the
  // URL, without its secrets; what was fetched and is refused is dropped. Fails with Canceled soon
  // after nobody wants it any more.
  virtual Future<std::string> fetch(const WireArtifact& artifact, ArtifactUse use,
                                    const FetchWish& wish) = 0;
};

}  // namespace freshet::core
