#include "cluster/join_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "freshet/error.h"
#include "posix/system_reason.h"

namespace freshet::tool {
using namespace core;
namespace {
constexpr std::size_t kLargest = 16 * 1024;
}

namespace {

void write_private(const std::filesystem::path& file, const nlohmann::json& json) {
  const std::string text = json.dump(2) + "\n";
  // Of its own name: several job managers may write it at once.
  std::string part = file.native() + ".part-XXXXXX";
  const int opened = ::mkostemp(part.data(), O_CLOEXEC);  // 0600
  const bool written =
      opened >= 0 && ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (opened >= 0) ::close(opened);
  if (!written || ::rename(part.c_str(), file.c_str()) != 0) {
    ::unlink(part.c_str());
    throw InvalidInput(file.native() +
                       ": can't be written: " + reason_with_mend(error, "make room there"));
  }
}

std::string read_private(const std::filesystem::path& file, const std::string& mend) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0)
    throw InvalidInput(file.native() + ": can't be opened: " + reason_with_mend(errno, mend));
  struct stat facts {};
  std::string text(kLargest, '\0');
  const bool is_file = ::fstat(opened, &facts) == 0 && S_ISREG(facts.st_mode);
  const ssize_t got = is_file ? ::read(opened, text.data(), text.size()) : -1;
  ::close(opened);
  if (got < 0) throw InvalidInput(file.native() + ": can't be read as a file: " + mend);
  if (facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0)
    throw InvalidInput(file.native() +
                       ": holds a key, but others may read it: if nobody has, chmod 600; it must "
                       "belong to user " +
                       std::to_string(::geteuid()));
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

void write_join_file(const std::filesystem::path& file, const JoinFile& join) {
  write_private(file, {{"cluster_id", join.cluster_id},
                       {"endpoint", join.job_manager.endpoint},
                       {"public_key", join.job_manager.key},
                       {"secret_key", join.secret_key}});
}

JoinFile read_join_file(const std::filesystem::path& file) {
  const std::string text =
      read_private(file, "--join takes the file run/<cluster id>/join.json of a cluster");
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    return {json.at("cluster_id").get<std::string>(),
            {json.at("endpoint").get<std::string>(), json.at("public_key").get<std::string>()},
            json.at("secret_key").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    throw InvalidInput(file.native() + ": is no file to join a cluster by (" + error.what() + ")");
  }
}

void write_keys(const std::filesystem::path& file, const ClusterKeys& keys) {
  write_private(
      file,
      {{"secret_key", keys.secret_key}, {"clients", keys.clients}, {"join_key", keys.join_key}});
}

ClusterKeys read_keys(const std::filesystem::path& file) {
  const std::string text = read_private(file, "stop the cluster and start another");
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    return {json.at("secret_key").get<std::string>(),
            json.at("clients").get<std::vector<std::string>>(),
            json.at("join_key").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    throw InvalidInput(file.native() + ": holds no keys of a cluster (" + error.what() +
                       "): stop the cluster and start another");
  }
}

}  // namespace freshet::tool
