#include "blobs/stored_blobs.h"

#include <algorithm>

namespace freshet::core {

BlobWriter::~BlobWriter() = default;
BlobStorage::~BlobStorage() = default;

namespace {

class StoredBlobWriter final : public BlobWriter {
 public:
  StoredBlobWriter(BlobStore& store, const Sha256& sha256, std::uint64_t size)
      : upload_(store, sha256, size) {}
  std::uint64_t received() const override { return upload_.received(); }
  std::uint64_t size() const override { return upload_.size(); }
  void append(std::string_view bytes) override { upload_.append(bytes); }
  void finish() override { upload_.finish(); }

 private:
  BlobUpload upload_;
};

// Of names and contents, in any order.
std::string name_of_set(std::vector<NamedBlob> files) {
  std::sort(files.begin(), files.end(), [](const NamedBlob& a, const NamedBlob& b) {
    return std::tie(a.name, a.sha256) < std::tie(b.name, b.sha256);
  });
  std::string text;
  for (const NamedBlob& file : files) text += file.sha256.hex() + ' ' + file.name + '\n';
  return Sha256::of(text).hex();
}

}  // namespace

StoredBlobs::StoredBlobs(const std::filesystem::path& folder)
    : store_(folder / "blobs"), sets_(folder / "apps") {}
StoredBlobs::~StoredBlobs() = default;

bool StoredBlobs::has(const std::string& sha256) const { return store_.has(parse_sha256(sha256)); }

std::uint64_t StoredBlobs::size_of(const std::string& sha256) const {
  return store_.size_of(parse_sha256(sha256));
}

std::string StoredBlobs::read(const std::string& sha256, std::uint64_t offset,
                              std::size_t max_bytes) const {
  return store_.read(parse_sha256(sha256), offset, max_bytes);
}

std::unique_ptr<BlobWriter> StoredBlobs::begin(const std::string& sha256, std::uint64_t size) {
  return std::make_unique<StoredBlobWriter>(store_, parse_sha256(sha256), size);
}

std::map<std::string, std::string> StoredBlobs::place(const std::vector<JobModule>& files) {
  std::vector<NamedBlob> named;
  for (const JobModule& file : files) {
    const NamedBlob blob{file.name, parse_sha256(file.sha256)};
    const bool there = std::any_of(named.begin(), named.end(), [&](const NamedBlob& other) {
      return other.name == blob.name && other.sha256 == blob.sha256;
    });
    if (!there) named.push_back(blob);
  }
  std::map<std::string, std::string> paths;
  if (named.empty()) return paths;
  const std::filesystem::path folder = sets_ / name_of_set(named);
  store_.materialise(named, folder);
  std::vector<Sha256>& placed = placed_[folder];
  placed.clear();
  for (const NamedBlob& file : named) {
    paths[file.sha256.hex()] = (folder / file.name).native();
    placed.push_back(file.sha256);
  }
  return paths;
}

std::vector<std::string> StoredBlobs::all() const {
  std::vector<std::string> all;
  for (const Sha256& sha256 : store_.all()) all.push_back(sha256.hex());
  std::sort(all.begin(), all.end());
  return all;
}

void StoredBlobs::remove(const std::string& text) {
  const Sha256 sha256 = parse_sha256(text);
  store_.remove(sha256);
  std::erase_if(placed_, [&](const auto& set) {
    if (std::find(set.second.begin(), set.second.end(), sha256) == set.second.end()) return false;
    std::error_code ignored;  // what can't be removed goes with the cluster
    std::filesystem::remove_all(set.first, ignored);
    return true;
  });
}

}  // namespace freshet::core
