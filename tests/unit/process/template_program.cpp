// A program that may be a template, for process_templates_test.cpp: it does what it inherits, one
// word, and prints what it is first.
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "process/control_group.h"
#include "process/started_process.h"
#include "process/template_process.h"

namespace {

void print_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  while (const dirent* const entry = ::readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    // The file of its group stays open, to be written to when the parent ends.
    char target[256] = {};
    const std::string path = "/proc/self/fd/" + std::string(entry->d_name);
    static_cast<void>(::readlink(path.c_str(), target, sizeof target - 1) > 0);
    if (entry->d_name[0] != '.' && number != ::dirfd(folder) &&
        std::string(target).find("cgroup.kill") == std::string::npos) {
      std::printf(" %d", number);
    }
  }
  ::closedir(folder);
}

}  // namespace

int main() {
  freshet::core::end_group_with_parent();
  if (const char* const most = std::getenv("FRESHET_TEST_MOST_DESCRIPTORS")) {
    const rlimit limit{static_cast<rlim_t>(std::atoi(most)), static_cast<rlim_t>(std::atoi(most))};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  const pid_t before = ::getpid();
  const bool forks = freshet::core::is_template();
  const std::string word =
      forks ? freshet::core::serve_as_template() : freshet::core::take_inherited();
  freshet::core::end_group_with_parent();
  std::printf("%s by %d: %d thread %ld parent %d session %d descriptors",
              forks ? "forked" : "started", before, ::getpid(), ::syscall(SYS_gettid), ::getppid(),
              ::getsid(0));
  print_descriptors();
  std::printf("\n");
  std::fflush(stdout);
  if (word == "thread") std::thread([] { std::printf("another thread\n"); }).join();
  if (word == "fork" && ::fork() == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    std::printf("grandchild %d\n", ::getpid());
    std::fflush(stdout);
    ::pause();
  }
  std::fflush(stdout);
  if (word == "fork" || word == "wait") ::pause();
  if (word == "abort") std::abort();
  return word == "seven" ? 7 : 0;
}
