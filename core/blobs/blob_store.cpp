#include "blobs/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include "freshet/error.h"
#include "posix/system_reason.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBlock = std::size_t{256} * 1024;

std::string reason(int error) { return std::strerror(error); }

// Closes at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

// 0, or the errno.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

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
  throw InvalidInput(folder_.native() + ": can't be made, files are kept there: " + reason(errno) +
                     ": choose another folder");
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
    throw InvalidInput(path_of(sha256).native() + ": can't be removed: " + reason(errno));
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
  if (file.get() < 0) throw InvalidInput(path.native() + ": can't be opened: " + reason(errno));
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, size - offset)),
                    '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw InvalidInput(path.native() + ": can't be read: " + reason(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
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
  std::string block(kBlock, '\0');
  while (true) {
    const ssize_t got = ::read(in.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw InvalidInput(file.native() + ": can't be read: " + reason(errno));
    if (got == 0) break;
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
        throw InvalidInput(target.native() + ": can't be put in place: " + reason(error));
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
  file_ = ::mkostemp(part.data(), O_CLOEXEC);
  if (file_ < 0)
    throw InvalidInput(store.folder().native() + ": no file can be made in it: " +
                       reason_with_mend(errno, "make room there"));
  part_ = part;
}

BlobUpload::~BlobUpload() { drop(); }

void BlobUpload::drop() noexcept {
  if (file_ < 0) return;
  ::close(file_);
  file_ = -1;
  ::unlink(part_.c_str());
}

void BlobUpload::append(std::string_view bytes) {
  if (file_ < 0) throw InvalidInput("the upload of " + sha256_.hex() + " is over: begin it anew");
  if (bytes.size() > size_ - received_) {
    drop();
    throw InvalidInput("the file " + sha256_.hex() + " has more than the " + std::to_string(size_) +
                       " bytes that were announced");
  }
  if (const int error = write_all(file_, bytes); error != 0) {
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
  if (file_ < 0) throw InvalidInput("the upload of " + sha256_.hex() + " is over: begin it anew");
  const Sha256 found = hash_.finish();
  if (received_ != size_ || found != sha256_) {
    drop();
    throw InvalidInput("the file that was sent has sha256 " + found.hex() + " and " +
                       std::to_string(received_) + " bytes, announced were " + sha256_.hex() +
                       " and " + std::to_string(size_) + ": send it again");
  }
  ::fchmod(file_, 0500);  // libraries and programs among them are mapped, none is written to
  if (::rename(part_.c_str(), store_.path_of(sha256_).c_str()) != 0) {
    const int error = errno;
    drop();
    throw InvalidInput(store_.path_of(sha256_).native() +
                       ": can't be put in place: " + reason(error));
  }
  ::close(file_);
  file_ = -1;
}

}  // namespace freshet::core
