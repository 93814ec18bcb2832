#include "security/owner_only.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "freshet/error.h"
#include "posix/descriptor.h"
#include "posix/file_io.h"
#include "security/sha256.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr const char* kKeyFileBegin = "# A key pair of Freshet. Keep it to yourself.\n";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw InvalidInput("'" + path + "' " + why);
}

std::string octal(mode_t mode) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

// Of what is open, so that nobody can put another thing in its place meanwhile.
void check(const std::string& path, int descriptor, mode_t type, const char* type_name,
           const char* wanted_mode) {
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    refuse(path, std::string("can't be judged: ") + strerror(errno));
  if ((status.st_mode & S_IFMT) != type) refuse(path, std::string("is no ") + type_name);
  if (status.st_uid != geteuid()) {
    refuse(path, "belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                     std::to_string(geteuid()) + ": choose another path");
  }
  if (status.st_mode & 077) {
    refuse(path, "has mode " + octal(status.st_mode) + ", so that others can enter: chmod " +
                     wanted_mode + " it, if nobody has");
  }
}

std::string why_not_opened(int number) {
  if (number == ELOOP) return "is a symbolic link, which may lead anywhere: name the target itself";
  return std::string("can't be opened: ") + strerror(number);
}

// An owner-only folder that exists; false: it is none, for whatever reason.
bool is_owner_only_folder(const char* path) {
  if (path == nullptr || path[0] != '/') return false;
  const Descriptor folder(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  return folder.get() >= 0 && fstat(folder.get(), &status) == 0 && status.st_uid == geteuid() &&
         (status.st_mode & 077) == 0;
}

std::string folder_in_tmp() {
  std::string path = "/tmp/freshet-" + std::to_string(geteuid());
  make_owner_only_folder(path);
  return path;
}

}  // namespace

void make_owner_only_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    refuse(path, std::string("can't be made: ") + strerror(errno));
  }
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder.get() < 0) {
    const int number = errno;
    struct stat status;
    const bool is_link = lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    refuse(path, why_not_opened(is_link ? ELOOP : number));  // Linux says ENOTDIR of a link, too
  }
  check(path, folder.get(), S_IFDIR, "folder", "0700");
}

std::string owner_only_runtime_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (!is_owner_only_folder(runtime)) return folder_in_tmp();
  std::string path = std::string(runtime) + "/freshet";
  make_owner_only_folder(path);
  return path;
}

std::string read_owner_only_file(const std::string& path, std::size_t most_bytes) {
  // A pipe at its place must not hold us up.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) refuse(path, why_not_opened(errno));
  check(path, file.get(), S_IFREG, "file", "0600");
  std::string bytes;
  std::array<char, 4'096> piece;
  while (const ssize_t count = read_some(file.get(), piece.data(), piece.size())) {
    if (count < 0) refuse(path, std::string("can't be read: ") + strerror(errno));
    bytes.append(piece.data(), static_cast<std::size_t>(count));
    if (bytes.size() > most_bytes) {
      refuse(path, "is longer than " + std::to_string(most_bytes) + " bytes");
    }
  }
  return bytes;
}

void write_owner_only_file(const std::string& path, std::string_view bytes) {
  std::string draft = path + ".XXXXXX";
  const Descriptor file(::mkostemp(draft.data(), O_CLOEXEC));  // 0600
  if (file.get() < 0) refuse(path, std::string("can't be written: ") + strerror(errno));
  int number = write_all(file.get(), bytes);
  if (number == 0 && (::fsync(file.get()) != 0 || ::rename(draft.c_str(), path.c_str()) != 0))
    number = errno;
  if (number != 0) {
    ::unlink(draft.c_str());
    refuse(path, std::string("can't be written: ") + strerror(number));
  }
}

void write_key_file(const std::string& path, const KeyPair& keys) {
  write_owner_only_file(
      path, kKeyFileBegin + ("public " + keys.public_key) + "\nsecret " + keys.secret_key + "\n");
}

KeyPair read_key_file(const std::string& path) {
  const std::string text = read_owner_only_file(path, 4'096);
  KeyPair keys;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("public ")) keys.public_key = line.substr(7);
    if (line.starts_with("secret ")) keys.secret_key = line.substr(7);
    at = end + 1;
  }
  bool fits = false;
  try {
    fits = key_pair_of(keys.secret_key).public_key == keys.public_key;
  } catch (const InvalidInput&) {  // told below, with the path
  }
  if (!fits) refuse(path, "holds no key pair: make a new one");
  return keys;
}

std::string identity_of_folder(const std::string& path) {
  std::string kernel;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), kernel);
  struct stat facts {};
  if (kernel.empty() || ::stat(path.c_str(), &facts) != 0)
    return "unknown " + make_key_pair().public_key;
  return kernel + " " + std::to_string(facts.st_dev) + " " + std::to_string(facts.st_ino);
}

std::string ipc_endpoint(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  if (path.size() <= kMostSocketPath) {
    make_owner_only_folder(folder);
    return "ipc://" + path;
  }
  const std::string short_name = Sha256::of(path).hex().substr(0, 16);
  const std::string runtime = owner_only_runtime_folder() + "/" + short_name;
  return "ipc://" +
         (runtime.size() <= kMostSocketPath ? runtime : folder_in_tmp() + "/" + short_name);
}

}  // namespace freshet::core
