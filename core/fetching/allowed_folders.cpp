#include "fetching/allowed_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fetching/url_path.h"
#include "freshet/error.h"
#include "posix/descriptor.h"
#include "posix/file_io.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

// Leads to what was opened, whatever its path leads to by now.
std::string path_of(const Descriptor& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

std::string in_quotes(const std::string& url) { return "'" + url + "'"; }

// Of the host, as the URL means it.
fs::path path_of(const std::string& url) {
  const std::string scheme = url.substr(0, url.find(':'));
  const std::size_t begin = scheme.size() + 3;  // behind "://"
  const auto form = [&] { return scheme + ":///folder/file"; };
  if (url.compare(scheme.size(), 3, "://") != 0)
    throw InvalidInput(in_quotes(shown_url(url)) + " has no path: write it as " + form());
  const std::size_t slash = std::min(url.find('/', begin), url.size());
  const std::string host = url.substr(begin, slash - begin);
  if (!host.empty() && host != "localhost")
    throw InvalidInput(in_quotes(shown_url(url)) + " names the host '" +
                       host.substr(host.rfind('@') + 1) +
                       "', but its path is one of the job manager's host: write it as " + form());
  const std::string path = url.substr(slash);
  if (path.find_first_of("?#") != std::string::npos)
    throw InvalidInput(in_quotes(shown_url(url)) +
                       " has a '?' or '#', which end a path: write %3F and %23 in names");
  const auto decoded = percent_decoded(path);
  if (!decoded || decoded->find('\0') != std::string::npos)
    throw InvalidInput(in_quotes(shown_url(url)) +
                       " has a '%' that stands for no character of a path: write %25 for '%', and "
                       "two hex digits behind '%' for other bytes");
  if (std::count(decoded->begin(), decoded->end(), '/') !=
      std::count(path.begin(), path.end(), '/'))
    throw InvalidInput(in_quotes(shown_url(url)) + " has %2F in a name: no name holds a '/'");
  if (decoded->empty())
    throw InvalidInput(in_quotes(shown_url(url)) + " has no path: write " + form());
  return *decoded;
}

fs::path without_slash_at_end(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_filename() || normal == normal.root_path() ? normal : normal.parent_path();
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto [in_folder, in_path] =
      std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return in_folder == folder.end();
}

}  // namespace

AllowedFolders::AllowedFolders(const Clock& clock, const std::vector<std::string>& folders)
    : clock_(clock) {
  for (const std::string& folder : folders) {
    if (folder.empty() || folder[0] != '/')
      throw InvalidInput("fetch.allowed-folders lists '" + folder +
                         "', which is no absolute path: begin it with '/'");
    folders_.push_back(without_slash_at_end(folder));
  }
}
AllowedFolders::~AllowedFolders() = default;

bool AllowedFolders::holds(const fs::path& path) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    return is_inside(path, folder) || (!error && is_inside(path, real));
  });
}

void AllowedFolders::refuse(const std::string& url, const std::string& what) const {
  if (folders_.empty())
    throw InvalidInput(in_quotes(shown_url(url)) +
                       " can't be read: this cluster may read no folder of its host: list folders "
                       "in fetch.allowed-folders where the cluster is started, or give a path, "
                       "which the client uploads");
  std::string list;
  for (const fs::path& folder : folders_)
    list += (list.empty() ? "" : ", ") + in_quotes(folder.native());
  throw InvalidInput(in_quotes(shown_url(url)) + " " + what +
                     " the folders that this cluster may read, " + list +
                     ": put the file there, add its folder to fetch.allowed-folders where the "
                     "cluster is started, or give a path, which the client uploads");
}

void AllowedFolders::fetch(const std::string& url, const FetchRules& rules, FetchSink& sink) const {
  const std::int64_t begin_ns = clock_.now_ns();
  const fs::path path = path_of(url);
  const auto fail = [&](const std::string& why, const std::string& mend) {
    throw InvalidInput(in_quotes(shown_url(url)) +
                       " can't be read on the job manager's host: " + why + ": " + mend);
  };
  const bool named_inside = holds(path.lexically_normal());

  const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));  // opens no device
  const int error = errno;
  std::error_code unknown;
  const fs::path real = place.get() < 0 ? fs::path() : fs::read_symlink(path_of(place), unknown);
  if (place.get() < 0 && named_inside)
    fail(std::strerror(error), "check the path and the rights of its folders");
  const bool real_inside = std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& each) {
    std::error_code missing;
    const fs::path folder = fs::canonical(each, missing);
    return !missing && is_inside(real, folder);
  });
  if (!real_inside)
    refuse(url,
           named_inside ? "is a link, or lies behind one, that leads out of" : "is outside of");

  struct stat facts {};
  if (::fstat(place.get(), &facts) != 0) fail(std::strerror(errno), "see to its disk");
  if (S_ISDIR(facts.st_mode)) fail("it is a folder", "name a file");
  if (!S_ISREG(facts.st_mode)) fail("it is no regular file", "name one");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size > rules.max_size.bytes())
    fail("it has " + std::to_string(size) + " bytes, more than the " +
             std::to_string(rules.max_size.bytes()) + " of fetch.max-size",
         "raise it, or make the file smaller");
  const Descriptor file(::open(path_of(place).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) fail(std::strerror(errno), "make it readable for the user of the cluster");

  std::string block(kFileBlock, '\0');
  while (const ssize_t got = read_some(file.get(), block.data(), block.size())) {
    if (got < 0) fail(std::strerror(errno), "see to its disk");
    sink.append({block.data(), static_cast<std::size_t>(got)});
    if (!sink.is_wanted()) throw Canceled(in_quotes(shown_url(url)) + " is not wanted any more");
    if (clock_.now_ns() - begin_ns > rules.timeout.ns())
      fail("it took longer than fetch.timeout, " + std::to_string(rules.timeout.ms()) + " ms",
           "raise it, or see to its disk");
  }
}

}  // namespace freshet::core
