// Files by the SHA-256 of their content: what clients offer to a cluster and its processes fetch.
//
// A file is there whole and checked, or not at all: an upload writes beside it and renames. Any
// number of uploads of one content may run at once; the first that is complete wins. Nothing is
// written to disk by force (fsync): a store lives no longer than its cluster.
//
// Threads    Any; each Upload one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "posix/descriptor.h"
#include "security/sha256.h"

namespace freshet::core {

struct NamedBlob {
  std::string name;  // plain: no '/', not "." or ".."
  Sha256 sha256;
};

// Throws InvalidInput unless `text` is 64 hex digits.
FRESHET_API Sha256 parse_sha256(std::string_view text);

class FRESHET_API BlobStore {
 public:
  // The folder is made when first needed, for this user alone.
  explicit BlobStore(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  bool has(const Sha256& sha256) const;
  // Where it is, or would be.
  std::filesystem::path path_of(const Sha256& sha256) const;
  // Throws InvalidInput if it is not there.
  std::uint64_t size_of(const Sha256& sha256) const;
  // At most `max_bytes` of it from `offset` on; fewer at its end, none beyond. Throws InvalidInput.
  std::string read(const Sha256& sha256, std::uint64_t offset, std::size_t max_bytes) const;
  // Copies a file of this host. Throws InvalidInput if it can't be read, or changes meanwhile.
  Sha256 add_file(const std::filesystem::path& file);

  // Those that are there, whole.
  std::vector<Sha256> all() const;
  // Nothing if it is not there. Throws InvalidInput.
  void remove(const Sha256& sha256) const;

  // Makes `target` a folder that holds these files under their plain names, as hard links where
  // the file system has them. All or nothing; nothing to do if it is there. Throws InvalidInput: a
  // name that is not plain, two of one name, a blob that is not there, no space.
  void materialise(const std::vector<NamedBlob>& files, const std::filesystem::path& target) const;

 private:
  friend class BlobUpload;
  void make_folder() const;

  std::filesystem::path folder_;
};

// One file on its way in. What was not finished leaves nothing behind.
class FRESHET_API BlobUpload {
 public:
  // Throws InvalidInput if no file can be made. `store` outlives the upload.
  BlobUpload(BlobStore& store, const Sha256& sha256, std::uint64_t size);
  ~BlobUpload();
  BlobUpload(const BlobUpload&) = delete;
  BlobUpload& operator=(const BlobUpload&) = delete;

  const Sha256& sha256() const { return sha256_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t received() const { return received_; }

  // The next bytes. Throws InvalidInput: more than was announced, or no space. The upload is over
  // then.
  void append(std::string_view bytes);
  // Checks size and hash and puts the file in place. Throws InvalidInput.
  void finish();

 private:
  void drop() noexcept;

  BlobStore& store_;
  Sha256 sha256_;
  std::uint64_t size_;
  std::uint64_t received_ = 0;
  std::filesystem::path part_;
  Descriptor file_;  // none: it is over
  Sha256Stream hash_;
};

}  // namespace freshet::core
