// What simulated processes have of their host: ids and keys from a seed, files in memory.
//
// Threads    That of the SimulatedThread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "blobs/blob_storage.h"
#include "control/control_thread.h"
#include "control/id_source.h"
#include "fetching/artifact_fetcher.h"
#include "freshet/api.h"
#include "simulation/seeded_random.h"

namespace freshet::core {

class FRESHET_API SeededIds final : public IdSource {
 public:
  explicit SeededIds(std::uint64_t seed);
  ~SeededIds() override;
  std::string draw() override;
  KeyPair draw_keys() override;

 private:
  SeededRandom random_;
};
// Of a key pair of SeededIds.
FRESHET_API PublicKey public_half(const std::string& secret_key);

class FRESHET_API BlobsInMemory final : public BlobStorage {
 public:
  ~BlobsInMemory() override;
  bool has(const std::string& sha256) const override;
  std::uint64_t size_of(const std::string& sha256) const override;
  std::string read(const std::string& sha256, std::uint64_t offset,
                   std::size_t max_bytes) const override;
  std::unique_ptr<BlobWriter> begin(const std::string& sha256, std::uint64_t size) override;
  std::map<std::string, std::string> place(const std::vector<JobModule>& files) override;
  std::vector<std::string> all() const override;
  void remove(const std::string& sha256) override { blobs_.erase(sha256); }
  std::string add(std::string content);  // its hash

 private:
  const std::string& content(const std::string& sha256) const;
  std::map<std::string, std::string> blobs_;
};

// Every URL is there, with its own text as content, but those that hold "missing".
class FRESHET_API SimulatedFetcher final : public ArtifactFetcher {
 public:
  SimulatedFetcher(ControlThread& thread, BlobsInMemory& blobs, std::uint64_t seed);
  ~SimulatedFetcher() override;
  Future<std::string> fetch(const WireArtifact& artifact, ArtifactUse use,
                            const FetchWish& wish) override;

 private:
  ControlThread& thread_;
  BlobsInMemory& blobs_;
  SeededRandom random_;
};

}  // namespace freshet::core
