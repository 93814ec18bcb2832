// Gets the files of applications that are named by URL into the blobs of a job manager: on
// threads of its own, by the file-system plugin that serves the scheme; local: and file: by itself.
//
// A file is there whole and checked, or not at all: it is written beside the blobs, its hash is
// compared where one is given, what shall be an application is judged as one, and only then it
// becomes a blob. What is refused is dropped; of its bytes nothing is told, of its URL no secrets.
// What a process that was killed has left of a file is removed by the next one.
//
// Threads    fetch(): any; it completes on a thread of this class.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "blobs/blob_store.h"
#include "clock/clock.h"
#include "fetching/allowed_folders.h"
#include "fetching/artifact_fetcher.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/plugin/file_system.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::core {

// By the options fetch.*.
FRESHET_API FetchRules fetch_rules(const Configuration& configuration);

class FRESHET_API UrlFetcher final : public ArtifactFetcher {
 public:
  // Files on their way are in `folder`, which is made when first needed. `clock` and `blobs` outlive
  // this. Throws InvalidInput if an option fetch.* can't be meant.
  UrlFetcher(const Clock& clock, BlobStore& blobs, std::filesystem::path folder,
             const Configuration& configuration);
  // Ends what is under way: it fails with Canceled.
  ~UrlFetcher() override;
  UrlFetcher(const UrlFetcher&) = delete;
  UrlFetcher& operator=(const UrlFetcher&) = delete;

  Future<std::string> fetch(const WireArtifact& artifact, ArtifactUse use,
                            const FetchWish& wish) override;

 private:
  class Part;
  struct Task {
    WireArtifact artifact;
    ArtifactUse use;
    FetchWish wish;
    Promise<std::string> promise;
  };
  void serve();
  std::string bring(const Task& task);
  void prepare_folder();
  const FileSystem& file_system_of(const std::string& url);
  std::vector<const FileSystem*> who_serve(const std::string& scheme);

  BlobStore& blobs_;
  const std::filesystem::path folder_;
  const FetchRules rules_;
  const std::vector<std::string> plugin_folders_;
  const AllowedFolders folders_;
  std::mutex catalog_mutex_;
  std::unique_ptr<PluginCatalog> catalog_;  // once it is needed
  std::atomic<bool> ending_ = false;
  std::once_flag prepared_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace freshet::core
