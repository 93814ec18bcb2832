#include "freshet/prepared_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "freshet/error.h"

namespace freshet {
namespace {

std::int64_t modified_ns_of(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::string absolute(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  char* const found = ::realpath(folder.c_str(), nullptr);
  if (!found) {
    throw Error("can't find the folder of '" + path + "': " + std::strerror(errno) +
                ": check that it is still there");
  }
  const std::string whole = found;
  std::free(found);
  return whole + (whole == "/" ? "" : "/") +
         path.substr(slash == std::string::npos ? 0 : slash + 1);
}

// False with errno; EEXIST if something has that name.
bool name_without_replacing(const std::string& hidden, const std::string& visible) {
  if (::renameat2(AT_FDCWD, hidden.c_str(), AT_FDCWD, visible.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system that can't, such as NFS.
  if (::link(hidden.c_str(), visible.c_str()) != 0) return false;
  ::unlink(hidden.c_str());
  return true;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

void force_to_disk(int file, const std::string& what) {
  int error = file >= 0 && ::fsync(file) == 0 ? 0 : errno;
  if (file >= 0) ::close(file);
  // A file system that does not force, as some do not with folders.
  if (error == EINVAL || error == ENOTSUP || error == EROFS) error = 0;
  if (error == 0) return;
  throw Error("can't force " + what + " to disk: " + std::strerror(error) +
              ": check the disk, free some space or choose another place");
}

void force_file(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  force_to_disk(file, "'" + path + "'");
}

void force_folder_of(const std::string& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 && errno == EACCES) return;  // one that may be written to and not read
  force_to_disk(folder, "the folder of '" + path + "'");
}

}  // namespace

PreparedFile PreparedFile::of(const std::string& hidden, const std::string& visible) {
  PreparedFile file{absolute(hidden), absolute(visible), 0, 0, 0};
  struct stat info;
  if (::stat(file.hidden.c_str(), &info) != 0) {
    throw Error("can't find '" + file.hidden + "': " + std::strerror(errno) +
                ": check that its folder is still there");
  }
  force_file(file.hidden);
  force_folder_of(file.hidden);
  file.inode = info.st_ino;
  file.size = static_cast<std::uint64_t>(info.st_size);
  file.modified_ns = modified_ns_of(info);
  return file;
}

std::string PreparedFile::commit() const {
  if (name_without_replacing(hidden, visible)) {
    force_folder_of(visible);
    return visible;
  }
  const int error = errno;
  struct stat info;
  if (::lstat(visible.c_str(), &info) == 0) {
    if (info.st_ino != inode || static_cast<std::uint64_t>(info.st_size) != size ||
        modified_ns_of(info) != modified_ns) {
      throw CommitRefused("'" + visible +
                          "' has come there from elsewhere while this job ran, and is not "
                          "replaced: what this job has written is in '" +
                          hidden + "'");
    }
    // An earlier call has come as far as this, and perhaps no further.
    ::unlink(hidden.c_str());
    force_folder_of(visible);
    return visible;
  }
  const std::string text =
      "can't rename '" + hidden + "' to '" + visible + "': " + std::strerror(error);
  if (error == ENOENT && ::access(folder_of(visible).c_str(), F_OK) == 0) {
    throw CommitRefused(text + ": somebody has removed the prepared file");
  }
  throw Error(text + ": check that the folder is still there and can be written");
}

void PreparedFile::remove() const { ::unlink(hidden.c_str()); }

}  // namespace freshet
