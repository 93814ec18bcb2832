#include "host_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace standalone {
namespace {

bool belongs_to(std::int64_t process, const std::string& cluster_id) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline", std::ios::binary);
  const std::string wanted = "--cluster-id=" + cluster_id;
  // Reading fails if the process ends meanwhile, which an istreambuf_iterator would throw.
  for (std::string word; std::getline(file, word, '\0');)
    if (word == wanted) return true;
  return false;
}

// Descriptors of those that are processes of that cluster. What a descriptor stands for can't
// change any more, and it is judged after that.
std::vector<pollfd> watched(const std::string& cluster_id,
                            const std::vector<std::int64_t>& processes) {
  std::vector<pollfd> ends;
  for (const std::int64_t process : processes) {
    const int watch = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (watch < 0) continue;
    if (belongs_to(process, cluster_id)) {
      ends.push_back({watch, POLLIN, 0});
    } else {
      ::close(watch);
    }
  }
  return ends;
}

bool ends_within(pollfd& end, std::int64_t patience_ms) {
  return ::poll(&end, 1, static_cast<int>(patience_ms)) == 1;
}

bool kill(const pollfd& end) {
  return ::syscall(SYS_pidfd_send_signal, end.fd, SIGKILL, nullptr, 0) == 0;
}

}  // namespace

void kill_processes(const std::string& cluster_id, const std::vector<std::int64_t>& processes,
                    std::int64_t patience_ms) {
  std::vector<pollfd> ends = watched(cluster_id, processes);
  for (const pollfd& end : ends) kill(end);
  for (pollfd& end : ends) {
    ends_within(end, patience_ms);
    ::close(end.fd);
  }
}

void await_processes(const std::string& cluster_id, const std::vector<std::int64_t>& processes,
                     std::int64_t patience_ms) {
  std::vector<pollfd> ends = watched(cluster_id, processes);
  for (pollfd& end : ends) {
    if (!ends_within(end, patience_ms) && kill(end)) ends_within(end, patience_ms);
    ::close(end.fd);
  }
}

bool lives(const std::string& cluster_id, std::int64_t process) {
  std::vector<pollfd> ends = watched(cluster_id, {process});
  if (ends.empty()) return false;
  const bool ended = ends_within(ends[0], 0);
  ::close(ends[0].fd);
  return !ended;
}

}  // namespace standalone
