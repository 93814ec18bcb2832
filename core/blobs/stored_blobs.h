// BlobStorage on disk: a BlobStore, and a folder for each set of files beside it.
#pragma once

#include <filesystem>

#include "blobs/blob_storage.h"
#include "blobs/blob_store.h"

namespace freshet::core {

class FRESHET_API StoredBlobs final : public BlobStorage {
 public:
  // Blobs in `folder`/blobs, sets in `folder`/apps.
  explicit StoredBlobs(const std::filesystem::path& folder);
  ~StoredBlobs() override;
  BlobStore& store() { return store_; }

  bool has(const std::string& sha256) const override;
  std::uint64_t size_of(const std::string& sha256) const override;
  std::string read(const std::string& sha256, std::uint64_t offset,
                   std::size_t max_bytes) const override;
  std::unique_ptr<BlobWriter> begin(const std::string& sha256, std::uint64_t size) override;
  std::map<std::string, std::string> place(const std::vector<JobModule>& files) override;
  std::vector<std::string> all() const override;
  void remove(const std::string& sha256) override;

 private:
  BlobStore store_;
  const std::filesystem::path sets_;
  std::map<std::filesystem::path, std::vector<Sha256>> placed_;  // what stands in each set
};

}  // namespace freshet::core
