// What can be told of processes that are not this one's children.
#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace freshet::testing {

inline bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  return !text.empty() && text[text.rfind(')') + 2] != 'Z';
}

// Waits for its end; false after a minute, which is a hang.
inline bool ends(pid_t process) {
  const int watch = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (watch < 0) return true;
  pollfd end{watch, POLLIN, 0};
  int count = 0;
  while ((count = ::poll(&end, 1, 60'000)) < 0 && errno == EINTR) {
  }
  ::close(watch);
  return count == 1;
}

}  // namespace freshet::testing
