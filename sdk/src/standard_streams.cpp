#include <fcntl.h>
#include <unistd.h>

#include <initializer_list>

namespace {

// The descriptors 0 to 2 of a process that was started without them are opened on /dev/null: else
// what is opened first takes their numbers, and is written to as standard output. When this library
// is loaded, before any main() and before the static objects of the programs that use it.
[[gnu::constructor]] void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

}  // namespace
