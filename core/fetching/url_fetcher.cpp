#include "fetching/url_fetcher.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "freshet/error.h"
#include "freshet/options.h"
#include "posix/descriptor.h"
#include "posix/file_io.h"
#include "posix/system_reason.h"
#include "security/sha256.h"
#include "shared_objects/judged_file.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

// So many files at once; others wait.
constexpr std::size_t kMostThreads = 8;

std::string scheme_of(const std::string& url) {
  std::string scheme = url.substr(0, std::min(url.find(':'), url.size()));
  for (char& c : scheme)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return scheme;
}

// What a file system of others has said of the URL.
std::string without_secrets(std::string text, const std::string& url) {
  const std::string shown = shown_url(url);
  if (shown == url) return text;
  for (std::size_t at = 0; (at = text.find(url, at)) != std::string::npos; at += shown.size())
    text.replace(at, url.size(), shown);
  return text;
}

// Throws InvalidInput unless the file is one.
void check_application(const fs::path& file, const std::string& url) {
  const CatalogEntry judged = judged_file(file);
  const auto kind = judged.file.identity.kind;
  if (kind != FRESHET_KIND_NONE && kind != FRESHET_KIND_APPLICATION)
    throw InvalidInput("'" + url + "' gives no application of Freshet but a plugin (" +
                       kind_name(kind) +
                       "), it is dropped: give the URL of a shared object that is made by "
                       "FRESHET_APPLICATION");
  if (judged.state != CatalogEntry::State::kRefused) return;
  throw InvalidInput("'" + url +
                     "' gives no application that runs here, it is dropped: " + judged.reason);
}

}  // namespace

FetchRules fetch_rules(const Configuration& configuration) {
  FetchRules rules;
  rules.max_redirects = configuration.get(options::kFetchMaxRedirects);
  rules.max_size = configuration.get(options::kFetchMaxSize);
  rules.timeout = configuration.get(options::kFetchTimeout);
  rules.stall_timeout = configuration.get(options::kFetchStallTimeout);
  rules.allowed_addresses = configuration.get(options::kFetchAllowedAddresses);
  rules.authorities = configuration.get(options::kFetchAuthorities);
  return rules;
}

// A file on its way, locked by its process. Gone at the end of its scope, or once that is dead.
class UrlFetcher::Part final : public FetchSink {
 public:
  Part(const fs::path& folder, std::string url, MemorySize most, const std::atomic<bool>& ending,
       FetchWish wish)
      : url_(std::move(url)), most_(most), ending_(ending), wish_(std::move(wish)) {
    do {
      std::string path = (folder / "part-XXXXXX").native();
      file_ = Descriptor(::mkostemp(path.data(), O_CLOEXEC));
      path_ = path;
      if (file_.get() < 0) fail(errno);
    } while (!has_lock());  // somebody has taken it for one that was left
  }
  ~Part() override { ::unlink(path_.c_str()); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // Of processes that are dead.
  static void remove_those_left_in(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      if (!entry.path().filename().native().starts_with("part-")) continue;
      const Descriptor file(
          ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
      if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0)
        ::unlink(entry.path().c_str());
    }
  }

  void append(std::string_view bytes) override {
    size_ += bytes.size();
    if (size_ > most_.bytes())
      throw InvalidInput("'" + url_ + "' has more than " + std::to_string(most_.bytes()) +
                         " bytes, which is fetch.max-size: raise it, or make the file smaller");
    if (const int error = write_all(file_.get(), bytes); error != 0) fail(error);
  }
  bool is_wanted() const override { return !ending_ && *wish_; }

  const fs::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  bool has_lock() const {
    struct stat facts {};
    return ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file_.get(), &facts) == 0 &&
           facts.st_nlink > 0;
  }
  [[noreturn]] void fail(int error) const {
    throw InvalidInput("'" + url_ + "' can't be kept: " + path_.native() + ": " +
                       reason_with_mend(error, "make room there"));
  }

  fs::path path_;
  const std::string url_;
  const MemorySize most_;
  const std::atomic<bool>& ending_;
  const FetchWish wish_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

UrlFetcher::UrlFetcher(const Clock& clock, BlobStore& blobs, fs::path folder,
                       const Configuration& configuration)
    : blobs_(blobs),
      folder_(std::move(folder)),
      rules_(fetch_rules(configuration)),
      plugin_folders_(configuration.get(options::kPluginDirs)),
      folders_(clock, configuration.get(options::kFetchAllowedFolders)) {}

UrlFetcher::~UrlFetcher() {
  ending_ = true;
  {
    const std::lock_guard lock(mutex_);
    for (Task& task : tasks_)
      task.promise.set_error(std::make_exception_ptr(Canceled("the job manager ends")));
    tasks_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Future<std::string> UrlFetcher::fetch(const WireArtifact& artifact, ArtifactUse use,
                                      const FetchWish& wish) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back({artifact, use, wish, {}});
  Future<std::string> future = tasks_.back().promise.future();
  if (idle_ < tasks_.size() && threads_.size() < kMostThreads)
    threads_.emplace_back([this] { serve(); });
  changed_.notify_one();
  return future;
}

void UrlFetcher::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    --idle_;
    if (ending_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    const std::string& url = task.artifact.url;
    const auto refuse = [&](const std::string& text) {
      task.promise.set_error(std::make_exception_ptr(InvalidInput(text)));
    };
    try {
      task.promise.set_value(bring(task));
    } catch (const Canceled&) {
      task.promise.set_error(std::current_exception());
    } catch (const Error& error) {
      refuse(without_secrets(error.what(), url));
    } catch (const std::exception& error) {
      refuse("'" + shown_url(url) + "' can't be fetched: " + without_secrets(error.what(), url));
    } catch (...) {
      refuse("'" + shown_url(url) +
             "' can't be fetched: its file system threw what is no std::exception: report it to "
             "its author");
    }
    lock.lock();
  }
}

void UrlFetcher::prepare_folder() {
  ::mkdir(folder_.c_str(), 0700);  // if it is not there then, no part can be made
  Part::remove_those_left_in(folder_);
}

std::string UrlFetcher::bring(const Task& task) {
  const std::string& url = task.artifact.url;
  const std::string shown = shown_url(url);
  if (!*task.wish) throw Canceled("'" + shown + "' is not wanted any more");
  if (task.artifact.name.empty())
    throw InvalidInput("'" + shown + "' names no file: its path must end in the file's name");
  std::optional<Sha256> expected;
  // What stands there may be a secret: it is not shown.
  if (const std::string& given = task.artifact.sha256; !given.empty()) {
    expected = Sha256::from_hex(given);
    if (!expected)
      throw InvalidInput("'" + shown + "#sha256=***' has " + std::to_string(given.size()) +
                         " characters after '#sha256=', which are not a sha256: give its 64 digits "
                         "of 0-9 a-f, or leave it out");
  }
  if (expected && blobs_.has(*expected)) {
    if (task.use == ArtifactUse::kMain) check_application(blobs_.path_of(*expected), shown);
    return expected->hex();
  }
  const FileSystem& file_system = file_system_of(url);
  FetchRules rules = rules_;
  rules.hash_is_known = expected.has_value();
  std::call_once(prepared_, [this] { prepare_folder(); });
  Part part(folder_, shown, rules.max_size, ending_, task.wish);
  spdlog::info("fetching '{}'", shown);
  file_system.fetch(url, rules, part);
  const Sha256 got = Sha256::of_file(part.path());
  if (expected && got != *expected)
    throw InvalidInput("'" + shown + "' gives a file with sha256 " + got.hex() + ", but " +
                       expected->hex() + " is expected: check the URL and the hash");
  if (task.use == ArtifactUse::kMain) check_application(part.path(), shown);
  spdlog::info("fetched '{}': {} bytes, sha256 {}", shown, part.size(), got.hex());
  return blobs_.add_file(part.path()).hex();
}

// ---- who serves a scheme ------------------------------------------------------------------------

std::vector<const FileSystem*> UrlFetcher::who_serve(const std::string& scheme) {
  std::vector<const FileSystem*> found;
  for (const CatalogEntry* entry : catalog_->usable(FRESHET_KIND_FILE_SYSTEM)) {
    try {
      LoadedPlugin& plugin = catalog_->load(*entry);
      const auto schemes = plugin.ask<FileSystem, std::vector<std::string>>(
          "schemes()", [](const FileSystem& asked) { return asked.schemes(); });
      if (std::find(schemes.begin(), schemes.end(), scheme) != schemes.end())
        found.push_back(&plugin.factory<FileSystem>());
    } catch (const std::exception& error) {
      spdlog::warn("file-system plugin '{}' is skipped: {}", entry->file.identity.name,
                   error.what());
    } catch (...) {
      spdlog::warn("file-system plugin '{}' is skipped: it threw what is no std::exception",
                   entry->file.identity.name);
    }
  }
  return found;
}

const FileSystem& UrlFetcher::file_system_of(const std::string& url) {
  const std::string scheme = scheme_of(url), shown = shown_url(url);
  if (scheme == "local" || scheme == "file") return folders_;
  const std::lock_guard lock(catalog_mutex_);
  if (!catalog_)
    catalog_ = std::make_unique<PluginCatalog>(
        SearchPath(SearchPath::Sources::of_this_process(plugin_folders_)));
  const auto found = who_serve(scheme);
  if (found.size() == 1) return *found[0];
  if (found.empty())
    throw InvalidInput("'" + shown +
                       "' can't be fetched: no file-system plugin of this cluster "
                       "serves '" +
                       scheme + "': install one, or give a path, which is uploaded" +
                       catalog_->account_of(FRESHET_KIND_FILE_SYSTEM));
  std::string names;
  for (const FileSystem* each : found)
    names += std::string(names.empty() ? "'" : ", '") + each->name() + "'";
  throw InvalidInput("'" + shown + "' can't be fetched: " + std::to_string(found.size()) +
                     " file-system plugins serve '" + scheme + "', " + names +
                     ", exactly one may: remove all but one");
}

}  // namespace freshet::core
