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

}  // namespace

void kill_processes(const std::string& cluster_id, const std::vector<std::int64_t>& processes,
                    std::int64_t patience_ms) {
  std::vector<pollfd> ends;
  for (const std::int64_t process : processes) {
    const int watch = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (watch < 0) continue;
    // What the descriptor stands for can't change any more, and it is judged after that.
    if (belongs_to(process, cluster_id) &&
        ::syscall(SYS_pidfd_send_signal, watch, SIGKILL, nullptr, 0) == 0) {
      ends.push_back({watch, POLLIN, 0});
    } else {
      ::close(watch);
    }
  }
  for (pollfd& end : ends) {
    ::poll(&end, 1, static_cast<int>(patience_ms));
    ::close(end.fd);
  }
}

}  // namespace standalone
