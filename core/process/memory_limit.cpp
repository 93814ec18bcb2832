#include "process/memory_limit.h"

#include <spdlog/spdlog.h>

#include <fstream>

#include "freshet/config_value.h"

namespace freshet::core {
namespace {

std::uint64_t written_memory(pid_t process) {
  std::ifstream facts("/proc/" + std::to_string(process) + "/status");
  std::uint64_t kibibytes = 0;
  for (std::string line; std::getline(facts, line);) {
    for (const char* const name : {"RssAnon:", "RssShmem:"}) {
      const std::size_t size = std::char_traits<char>::length(name);
      if (line.compare(0, size, name) == 0)
        kibibytes += std::strtoull(line.c_str() + size, nullptr, 10);
    }
  }
  return kibibytes * 1024;
}

std::string shown(MemorySize size) { return ConfigValue<MemorySize>::format(size); }

}  // namespace

MemoryLimiter::MemoryLimiter(ControlGroups& groups, MemoryLimit limit) : limit_(std::move(limit)) {
  if (limit_.most.bytes() == 0) return;
  way_ = groups.can_limit_memory() ? Way::kGroup : Way::kWatch;
  spdlog::info("{} limits each to {} of memory, {}", limit_.option, shown(limit_.most),
               way_ == Way::kGroup
                   ? "by a control group"
                   : "by a look at its resident memory every 100 ms, because no control group "
                     "with memory is delegated to this process");
}

void MemoryLimiter::limit(const std::filesystem::path& group) const {
  if (way_ == Way::kGroup && !ControlGroups::limit_memory(group, limit_.most.bytes()))
    spdlog::warn("a process runs without the limit of {}: its control group '{}' does not take it",
                 limit_.option, group.native());
}

bool MemoryLimiter::has_ended(const std::filesystem::path& group) const {
  return way_ == Way::kGroup && ControlGroups::ran_out_of_memory(group);
}

bool MemoryLimiter::is_exceeded_by(pid_t process, const std::filesystem::path& group) const {
  if (group.empty()) return written_memory(process) > limit_.most.bytes();
  std::uint64_t all = 0;
  for (const pid_t each : ControlGroups::processes(group)) all += written_memory(each);
  return all > limit_.most.bytes();
}

std::string MemoryLimiter::reason() const {
  return "it used more than " + shown(limit_.most) + " of memory, the limit of " + limit_.option +
         ": raise the limit, or let it use less";
}

}  // namespace freshet::core
