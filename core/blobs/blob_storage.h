// Where a role keeps files by hash: a BlobStore on disk (stored_blobs.h), or memory in the
// simulation. Hashes are 64 hex digits.
//
// Threads    The control thread.
// Errors     InvalidInput, with hash and reason.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::core {

// One file on its way in; dropped unless it was finished.
class FRESHET_API BlobWriter {
 public:
  virtual ~BlobWriter();
  virtual std::uint64_t received() const = 0;
  virtual std::uint64_t size() const = 0;
  virtual void append(std::string_view bytes) = 0;
  virtual void finish() = 0;  // checks size and hash
};

class FRESHET_API BlobStorage {
 public:
  virtual ~BlobStorage();
  virtual bool has(const std::string& sha256) const = 0;
  virtual std::uint64_t size_of(const std::string& sha256) const = 0;
  virtual std::string read(const std::string& sha256, std::uint64_t offset,
                           std::size_t max_bytes) const = 0;
  virtual std::unique_ptr<BlobWriter> begin(const std::string& sha256, std::uint64_t size) = 0;
  // A folder of that very set, in which each file stands under its plain name: the path of each by
  // its hash.
  virtual std::map<std::string, std::string> place(const std::vector<JobModule>& files) = 0;
  // Every file that is there.
  virtual std::vector<std::string> all() const = 0;
  // With the folders of sets that it stands in. Nothing if it is not there.
  virtual void remove(const std::string& sha256) = 0;
};

}  // namespace freshet::core
