#include "fetching/url_fetcher.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "freshet/error.h"
#include "freshet/options.h"
#include "modules/sha256.h"
#include "plugin_catalog/judged_file.h"

namespace freshet {
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

// A file on its way. Gone at the end of its scope.
class UrlFetcher::Part final : public FetchSink {
 public:
  Part(fs::path path, const std::string& url, MemorySize most, const std::atomic<bool>& ending)
      : path_(std::move(path)), url_(url), most_(most), ending_(ending) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) fail(errno);
  }
  ~Part() override {
    ::close(file_);
    ::unlink(path_.c_str());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void append(std::string_view bytes) override {
    size_ += bytes.size();
    if (size_ > most_.bytes())
      throw InvalidInput("'" + url_ + "' has more than " + std::to_string(most_.bytes()) +
                         " bytes, which is fetch.max-size: raise it, or make the file smaller");
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(file_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) fail(errno);
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  bool is_wanted() const override { return !ending_; }

  const fs::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  [[noreturn]] void fail(int error) const {
    throw InvalidInput("'" + url_ + "' can't be kept: " + path_.native() + ": " +
                       std::strerror(error) + ": make room there");
  }

  const fs::path path_;
  const std::string& url_;
  const MemorySize most_;
  const std::atomic<bool>& ending_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

UrlFetcher::UrlFetcher(BlobStore& blobs, fs::path folder, const Configuration& configuration)
    : blobs_(blobs),
      folder_(std::move(folder)),
      rules_(fetch_rules(configuration)),
      plugin_folders_(configuration.get(options::kPluginDirs)),
      folders_(configuration.get(options::kFetchAllowedFolders)) {}

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

Future<std::string> UrlFetcher::fetch(const WireArtifact& artifact, ArtifactUse use) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back({artifact, use, {}});
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
    try {
      task.promise.set_value(bring(task.artifact, task.use));
    } catch (const Error&) {
      task.promise.set_error(std::current_exception());
    } catch (const std::exception& error) {
      task.promise.set_error(std::make_exception_ptr(
          InvalidInput("'" + task.artifact.url + "' can't be fetched: " + error.what())));
    } catch (...) {
      task.promise.set_error(std::make_exception_ptr(
          InvalidInput("'" + task.artifact.url +
                       "' can't be fetched: its file system threw what is no "
                       "std::exception: tell its author")));
    }
    lock.lock();
  }
}

std::string UrlFetcher::bring(const WireArtifact& artifact, ArtifactUse use) {
  const std::string& url = artifact.url;
  if (artifact.name.empty())
    throw InvalidInput("'" + url + "' names no file: its path must end in the file's name");
  std::optional<Sha256> expected;
  if (!artifact.sha256.empty()) expected = parse_sha256(artifact.sha256);
  if (expected && blobs_.has(*expected)) {
    if (use == ArtifactUse::kMain) check_application(blobs_.path_of(*expected), url);
    return expected->hex();
  }
  const FileSystem& file_system = file_system_of(url);
  FetchRules rules = rules_;
  rules.hash_is_known = expected.has_value();
  ::mkdir(folder_.c_str(), 0700);  // if it is not there then, no part can be made
  Part part(folder_ / ("part-" + std::to_string(++parts_)), url, rules.max_size, ending_);
  spdlog::info("fetching '{}'", url);
  file_system.fetch(url, rules, part);
  const Sha256 got = Sha256::of_file(part.path());
  if (expected && got != *expected)
    throw InvalidInput("'" + url + "' gives a file with sha256 " + got.hex() + ", but " +
                       expected->hex() + " is expected: check the URL and the hash");
  if (use == ArtifactUse::kMain) check_application(part.path(), url);
  spdlog::info("fetched '{}': {} bytes, sha256 {}", url, part.size(), got.hex());
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
  const std::string scheme = scheme_of(url);
  if (scheme == "local" || scheme == "file") return folders_;
  const std::lock_guard lock(catalog_mutex_);
  if (!catalog_)
    catalog_ = std::make_unique<PluginCatalog>(
        SearchPath(SearchPath::Sources::of_this_process(plugin_folders_)));
  const auto found = who_serve(scheme);
  if (found.size() == 1) return *found[0];
  if (found.empty())
    throw InvalidInput("'" + url +
                       "' can't be fetched: no file-system plugin of this cluster "
                       "serves '" +
                       scheme + "': install one, or give a path, which is uploaded" +
                       catalog_->account_of(FRESHET_KIND_FILE_SYSTEM));
  std::string names;
  for (const FileSystem* each : found)
    names += std::string(names.empty() ? "'" : ", '") + each->name() + "'";
  throw InvalidInput("'" + url + "' can't be fetched: " + std::to_string(found.size()) +
                     " file-system plugins serve '" + scheme + "', " + names +
                     ", exactly one may: remove all but one");
}

}  // namespace freshet
