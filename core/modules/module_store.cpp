#include "modules/module_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <set>

#include "freshet/error.h"
#include "posix/descriptor.h"
#include "posix/file_io.h"
#include "posix/system_reason.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

// Hashes a regular file and, if `copy` is a descriptor, writes it there too.
StoredFile read_through(const fs::path& source, int copy, const fs::path& target) {
  const Descriptor file(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0)
    throw InvalidInput(source.native() + ": can't be opened: " +
                       reason_with_mend(errno, "check the path and its permissions"));
  if (!S_ISREG(facts.st_mode))
    throw InvalidInput(source.native() +
                       ": is no regular file, only those can be shipped: give each file's path");
  StoredFile stored;
  stored.name = source.filename().native();
  Sha256Stream hash;
  std::string memory(kFileBlock, '\0');
  while (const ssize_t got = read_some(file.get(), memory.data(), memory.size())) {
    if (got < 0) throw InvalidInput(source.native() + ": can't be read: " + system_reason(errno));
    const std::string_view block(memory.data(), static_cast<std::size_t>(got));
    hash.update(block.data(), block.size());
    stored.size += block.size();
    if (copy < 0) continue;
    if (const int error = write_all(copy, block); error != 0)
      throw InvalidInput(
          target.native() + ": can't be written: " +
          reason_with_mend(error, "make room there, or set XDG_CACHE_HOME to another folder"));
  }
  stored.sha256 = hash.finish();
  return stored;
}

Sha256 hash_of_set(std::vector<StoredFile> files) {
  std::sort(files.begin(), files.end(),
            [](const StoredFile& a, const StoredFile& b) { return a.name < b.name; });
  Sha256Stream hash;
  for (const StoredFile& file : files) {
    hash.update(file.sha256.bytes.data(), file.sha256.bytes.size());
    hash.update(file.name.c_str(), file.name.size() + 1);
  }
  return hash.finish();
}

bool belongs_to_this_user_alone(const struct stat& facts) {
  return facts.st_uid == ::geteuid() && (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool is_complete(const StoredApplication& application) {
  struct stat facts {};
  if (::lstat(application.folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
      !belongs_to_this_user_alone(facts))
    return false;
  return std::all_of(application.files.begin(), application.files.end(), [](const StoredFile& f) {
    struct stat copy {};
    return ::lstat(f.path.c_str(), &copy) == 0 && S_ISREG(copy.st_mode) &&
           static_cast<std::uint64_t>(copy.st_size) == f.size && belongs_to_this_user_alone(copy);
  });
}

fs::path new_folder(const fs::path& apps) {
  std::string pattern = (apps / ".new-XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw InvalidInput(
        apps.native() + ": no folder can be made in it: " +
        reason_with_mend(errno, "make room there, or set XDG_CACHE_HOME to another folder"));
  return pattern;
}

}  // namespace

ModuleStore::ModuleStore(const fs::path& state_folder) : apps_(state_folder / "apps") {}

fs::path ModuleStore::default_state_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "freshet";
  const char* home = std::getenv("HOME");
  if (home != nullptr && fs::path(home).is_absolute()) return fs::path(home) / ".cache/freshet";
  std::error_code ignored;
  return fs::temp_directory_path(ignored) / ("freshet-" + std::to_string(::geteuid()));
}

StoredApplication ModuleStore::store(const std::vector<fs::path>& files) const {
  StoredApplication application;
  std::set<std::string> names;
  for (const fs::path& file : files) {
    if (!names.insert(file.filename().native()).second)
      throw InvalidInput(file.native() + ": a file named '" + file.filename().native() +
                         "' is shipped already, all of them go into one folder: rename one");
    application.files.push_back(read_through(file, -1, {}));
  }
  application.set = hash_of_set(application.files);
  application.folder = apps_ / application.set.hex();
  for (StoredFile& file : application.files) file.path = application.folder / file.name;

  if (!is_complete(application)) {
    make_apps_folder();
    copy(application, files);
  }
  return application;
}

void ModuleStore::make_apps_folder() const {
  std::error_code error;
  fs::create_directories(apps_.parent_path().parent_path(), error);
  for (const fs::path& folder : {apps_.parent_path(), apps_}) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      throw InvalidInput(folder.native() + ": can't be made, applications are copied there: " +
                         system_reason(errno) + ": set XDG_CACHE_HOME to a folder of this user");
    struct stat facts {};
    if (::stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
        !belongs_to_this_user_alone(facts))
      throw InvalidInput(
          folder.native() + ": applications are copied there, but it belongs to user " +
          std::to_string(facts.st_uid) + " and this is user " + std::to_string(::geteuid()) +
          ", or others may write to it: remove it, or set XDG_CACHE_HOME");
  }
}

void ModuleStore::copy(const StoredApplication& application,
                       const std::vector<fs::path>& sources) const {
  remove_abandoned();
  const fs::path fresh = new_folder(apps_);
  std::error_code ignored;
  try {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const StoredFile& expected = application.files[i];
      const fs::path target = fresh / expected.name;
      const Descriptor out(
          ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0500));
      if (out.get() < 0)
        throw InvalidInput(target.native() + ": can't be made: " +
                           reason_with_mend(errno, "set XDG_CACHE_HOME to another folder"));
      if (read_through(sources[i], out.get(), target).sha256 != expected.sha256)
        throw InvalidInput(sources[i].native() +
                           ": changed while it was being copied: try again when it is complete");
    }
    // A folder that is there and not complete was damaged: it makes way.
    for (int attempt = 0; ::rename(fresh.c_str(), application.folder.c_str()) != 0; ++attempt) {
      const int error = errno;
      if ((error == EEXIST || error == ENOTEMPTY) && is_complete(application)) {
        fs::remove_all(fresh, ignored);
        return;
      }
      const fs::path damaged = new_folder(apps_);
      if (attempt == 10 || ::rename(application.folder.c_str(), damaged.c_str()) != 0) {
        if (attempt == 10)
          throw InvalidInput(application.folder.native() +
                             ": can't be put in place: " + system_reason(error) + ": remove it");
      }
      fs::remove_all(damaged, ignored);
    }
  } catch (...) {
    fs::remove_all(fresh, ignored);
    throw;
  }
}

// What a process that was killed while it copied has left behind.
void ModuleStore::remove_abandoned() const {
  std::error_code ignored;
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (auto at = fs::directory_iterator(apps_, ignored); at != fs::directory_iterator();
       at.increment(ignored))
    if (at->path().filename().native().rfind(".new-", 0) == 0 &&
        at->last_write_time(ignored) < long_ago)
      fs::remove_all(at->path(), ignored);
}

}  // namespace freshet::core
