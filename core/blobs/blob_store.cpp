#include "blobs/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>

#include "freshet/error.h"
#include "posix/file_io.h"
#include "posix/system_reason.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

std::string missing(const fs::path& folder, const Sha256& sha256) {
  return "no file with sha256 " + sha256.hex() + " in " + folder.native() + ": upload it first";
}

void check_plain(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos || name.size() > 255)
    throw InvalidInput("'" + name + "' is no plain file name: give one without '/'");
}

void copy_instead(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error)
    throw InvalidInput(
        to.native() + ": can't be made: " +
        reason_with_mend(error.value(), "make room there, or choose another folder"));
}

}  // namespace

Sha256 parse_sha256(std::string_view text) {
  const auto sha256 = Sha256::from_hex(text);
  if (!sha256)
    throw InvalidInput("a text of " + std::to_string(text.size()) +
                       " characters is not a sha256: that has 64 digits of 0-9 a-f");
  return *sha256;
}

BlobStore::BlobStore(fs::path folder) : folder_(std::move(folder)) {}

void BlobStore::make_folder() const {
  if (::mkdir(folder_.c_str(), 0700) == 0 || errno == EEXIST) return;
  throw InvalidInput(folder_.native() + ": can't be made, files are kept there: " +
                     system_reason(errno) + ": choose another folder");
}

fs::path BlobStore::path_of(const Sha256& sha256) const { return folder_ / sha256.hex(); }

bool BlobStore::has(const Sha256& sha256) const {
  struct stat facts {};
  return ::lstat(path_of(sha256).c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

std::vector<Sha256> BlobStore::all() const {
  std::vector<Sha256> all;
  std::error_code none;  // no file was put yet
  for (const auto& entry : fs::directory_iterator(folder_, none)) {
    const auto sha256 = Sha256::from_hex(entry.path().filename().native());
    if (sha256 && has(*sha256)) all.push_back(*sha256);
  }
  return all;
}

void BlobStore::remove(const Sha256& sha256) const {
  if (::unlink(path_of(sha256).c_str()) != 0 && errno != ENOENT)
    throw InvalidInput(path_of(sha256).native() + ": can't be removed: " + system_reason(errno));
}

std::uint64_t BlobStore::size_of(const Sha256& sha256) const {
  struct stat facts {};
  if (::lstat(path_of(sha256).c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    throw InvalidInput(missing(folder_, sha256));
  return static_cast<std::uint64_t>(facts.st_size);
}

std::string BlobStore::read(const Sha256& sha256, std::uint64_t offset,
                            std::size_t max_bytes) const {
  const std::uint64_t size = size_of(sha256);
  if (offset >= size) return {};
  const fs::path path = path_of(sha256);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0)
    throw InvalidInput(path.native() + ": can't be opened: " + system_reason(errno));
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, size - offset)),
                    '\0');
  const ssize_t got = read_at(file.get(), offset, bytes.data(), bytes.size());
  if (got < 0) throw InvalidInput(path.native() + ": can't be read: " + system_reason(errno));
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

Sha256 BlobStore::add_file(const fs::path& file) {
  const Sha256 sha256 = Sha256::of_file(file);
  if (has(sha256)) return sha256;
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (in.get() < 0 || ::fstat(in.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    throw InvalidInput(file.native() + ": can't be read as a regular file: check the path");
  BlobUpload upload(*this, sha256, static_cast<std::uint64_t>(facts.st_size));
  std::string block(kFileBlock, '\0');
  while (const ssize_t got = read_some(in.get(), block.data(), block.size())) {
    if (got < 0) throw InvalidInput(file.native() + ": can't be read: " + system_reason(errno));
    upload.append({block.data(), static_cast<std::size_t>(got)});
  }
  upload.finish();
  return sha256;
}

void BlobStore::materialise(const std::vector<NamedBlob>& files, const fs::path& target) const {
  std::set<std::string> names;
  for (const NamedBlob& file : files) {
    check_plain(file.name);
    if (!names.insert(file.name).second)
      throw InvalidInput("two files are named '" + file.name +
                         "', all of them go into one folder: rename one");
    if (!has(file.sha256))
      throw InvalidInput("'" + file.name + "': " + missing(folder_, file.sha256));
  }
  std::error_code ignored;
  if (fs::is_directory(target, ignored)) return;
  if (target.has_parent_path()) ::mkdir(target.parent_path().c_str(), 0700);
  std::string fresh = target.native() + ".new-XXXXXX";
  if (::mkdtemp(fresh.data()) == nullptr)
    throw InvalidInput(target.native() + ": can't be made: " +
                       reason_with_mend(errno, "make room there, or choose another folder"));
  try {
    for (const NamedBlob& file : files) {
      const fs::path link = fs::path(fresh) / file.name;
      if (::link(path_of(file.sha256).c_str(), link.c_str()) != 0)
        copy_instead(path_of(file.sha256), link);
    }
    if (::rename(fresh.c_str(), target.c_str()) != 0) {
      const int error = errno;
      if (!fs::is_directory(target, ignored))
        throw InvalidInput(target.native() + ": can't be put in place: " + system_reason(error));
      fs::remove_all(fresh, ignored);  // somebody else was first
    }
  } catch (...) {
    fs::remove_all(fresh, ignored);
    throw;
  }
}

BlobUpload::BlobUpload(BlobStore& store, const Sha256& sha256, std::uint64_t size)
    : store_(store), sha256_(sha256), size_(size) {
  store.make_folder();
  std::string part = (store.folder() / ".part-XXXXXX").native();
  file_ = Descriptor(::mkostemp(part.data(), O_CLOEXEC));
  if (file_.get() < 0)
    throw InvalidInput(store.folder().native() + ": no file can be made in it: " +
                       reason_with_mend(errno, "make room there"));
  part_ = part;
}

BlobUpload::~BlobUpload() { drop(); }

void BlobUpload::drop() noexcept {
  if (file_.get() < 0) return;
  file_.close();
  ::unlink(part_.c_str());
}

void BlobUpload::append(std::string_view bytes) {
  if (file_.get() < 0)
    throw InvalidInput("the upload of " + sha256_.hex() + " is over: begin it again");
  if (bytes.size() > size_ - received_) {
    drop();
    throw InvalidInput("the file " + sha256_.hex() + " has more than the " + std::to_string(size_) +
                       " bytes that were announced");
  }
  if (const int error = write_all(file_.get(), bytes); error != 0) {
    const std::string had = std::to_string(received_);
    drop();
    throw InvalidInput(store_.folder().native() + ": can't be written to after " + had + " of " +
                       std::to_string(size_) +
                       " bytes of a file: " + reason_with_mend(error, "make room there"));
  }
  hash_.update(bytes.data(), bytes.size());
  received_ += bytes.size();
}

void BlobUpload::finish() {
  if (file_.get() < 0)
    throw InvalidInput("the upload of " + sha256_.hex() + " is over: begin it again");
  const Sha256 found = hash_.finish();
  if (received_ != size_ || found != sha256_) {
    drop();
    throw InvalidInput("the file that was sent has sha256 " + found.hex() + " and " +
                       std::to_string(received_) + " bytes, announced were " + sha256_.hex() +
                       " and " + std::to_string(size_) + ": send it again");
  }
  ::fchmod(file_.get(), 0500);  // libraries and programs among them are mapped, none is written to
  if (::rename(part_.c_str(), store_.path_of(sha256_).c_str()) != 0) {
    const int error = errno;
    drop();
    throw InvalidInput(store_.path_of(sha256_).native() +
                       ": can't be put in place: " + system_reason(error));
  }
  file_.close();
}

}  // namespace freshet::core
