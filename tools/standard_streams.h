// The standard streams of a tool: what can't be written to them is no success.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

namespace freshet::tool {

// Whoever started this process may have made them non-blocking, and stdio loses what such a stream
// does not take at once. They are opened a second time, so that those who share them keep theirs.
inline void make_standard_streams_block() {
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    const int flags = ::fcntl(stream, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) == 0) continue;
    const std::string path = "/proc/self/fd/" + std::to_string(stream);
    const int again = ::open(path.c_str(), (flags & O_ACCMODE) | (flags & O_APPEND) | O_NOCTTY);
    if (again < 0) continue;  // a socket: write_whole() waits for it
    ::dup2(again, stream);
    ::close(again);
  }
}

// Waits where the stream is non-blocking. Returns 0 or the errno.
inline int write_whole(int stream, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(stream, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd writable{stream, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Writes out what this process has printed so far. Empty if all of it went out; else what did not.
inline std::string unwritten_output() {
  errno = 0;
  std::cout.flush();
  std::fflush(stdout);
  const int error = errno;
  // All were open when the process began: what main has closed itself is not missed.
  const auto is_open = [](int stream) { return ::fcntl(stream, F_GETFD) >= 0; };
  const bool lost = is_open(STDOUT_FILENO) && (std::ferror(stdout) != 0 || std::cout.bad());
  if (!lost && (std::ferror(stderr) == 0 || !is_open(STDERR_FILENO))) return {};
  return std::string("can't write the standard ") + (lost ? "output" : "error") +
         (error != 0 ? std::string(": ") + std::strerror(error) : std::string()) +
         ": some of what was printed is lost";
}

}  // namespace freshet::tool
