#include "cluster/join_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "freshet/error.h"

namespace freshet::tool {
namespace {
constexpr std::size_t kLargest = 4096;
}

void write_join_file(const std::filesystem::path& file, const JoinFile& join) {
  const std::string text = nlohmann::json{{"cluster_id", join.cluster_id},
                                          {"endpoint", join.job_manager.endpoint},
                                          {"public_key", join.job_manager.key},
                                          {"secret_key", join.secret_key}}
                               .dump(2) +
                           "\n";
  const std::string part = file.native() + ".part";
  const int opened =
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written =
      opened >= 0 && ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (opened >= 0) ::close(opened);
  if (!written || ::rename(part.c_str(), file.c_str()) != 0) {
    ::unlink(part.c_str());
    throw InvalidInput(file.native() + ": can't be written: " + std::strerror(error) +
                       ": make room there");
  }
}

JoinFile read_join_file(const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0)
    throw InvalidInput(file.native() + ": can't be opened: " + std::strerror(errno) +
                       ": --join takes the file run/<cluster id>/join.json of a cluster");
  struct stat facts {};
  std::string text(kLargest, '\0');
  const bool read_all = ::fstat(opened, &facts) == 0 && S_ISREG(facts.st_mode);
  const ssize_t got = read_all ? ::read(opened, text.data(), text.size()) : -1;
  ::close(opened);
  if (got < 0) throw InvalidInput(file.native() + ": can't be read as a file");
  if (facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0)
    throw InvalidInput(file.native() +
                       ": holds a key, but others may read it: if nobody has, chmod 600; it must "
                       "belong to user " +
                       std::to_string(::geteuid()));
  text.resize(static_cast<std::size_t>(got));
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    return {json.at("cluster_id").get<std::string>(),
            {json.at("endpoint").get<std::string>(), json.at("public_key").get<std::string>()},
            json.at("secret_key").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    throw InvalidInput(file.native() + ": is no file to join a cluster by (" + error.what() + ")");
  }
}

}  // namespace freshet::tool
