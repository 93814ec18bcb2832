#include "process/orphans.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace freshet::core {
namespace {

struct Family {
  char state = 0;
  pid_t parent = 0;
  pid_t session = 0;
};

// Of /proc/<id>/stat, whose second field is a name in brackets. Reading fails if the process ends
// meanwhile, which an istreambuf_iterator would throw.
Family family_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  Family family;
  const std::size_t name_end = text.rfind(')');
  int group = 0;
  if (name_end == std::string::npos ||
      std::sscanf(text.c_str() + name_end + 1, " %c %d %d %d", &family.state, &family.parent,
                  &group, &family.session) != 4) {
    return {};
  }
  return family;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return children;
  while (const dirent* const entry = ::readdir(folder)) {
    const pid_t process = std::atoi(entry->d_name);
    if (process > 0 && family_of(process).parent == parent) children.push_back(process);
  }
  ::closedir(folder);
  return children;
}

// The kernel gives orphans to our first thread, while what a thread forks is its own.
std::vector<pid_t> adopted_or_of_main_thread() {
  const std::string main_thread = std::to_string(::getpid());
  std::ifstream list("/proc/self/task/" + main_thread + "/children");
  if (!list.is_open()) return children_of(::getpid());  // a kernel without these lists
  std::vector<pid_t> children;
  for (pid_t process = 0; list >> process;) children.push_back(process);
  return children;
}

std::string mark_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ", std::ios::binary);
  const std::string wanted = std::string(kProcessMark) + "=";
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry.rfind(wanted, 0) == 0) return entry.substr(wanted.size());
  }
  return {};
}

}  // namespace

void reap(pid_t process) {
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Each round may bring their own children.
void end_orphans_of(pid_t child, const std::string& mark, const std::set<pid_t>& own) {
  for (int round = 0; round < 1000; ++round) {
    bool found = false;
    for (const pid_t process : children_of(::getpid())) {
      if (own.count(process) != 0) continue;
      if (family_of(process).session != child && mark_of(process) != mark) continue;
      ::kill(process, SIGKILL);
      reap(process);
      found = true;
    }
    if (!found) return;
  }
}

void reap_orphans(const std::set<pid_t>& own) {
  siginfo_t facts{};
  if (::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_pid == 0) return;
  const pid_t our_session = ::getsid(0);
  for (const pid_t process : adopted_or_of_main_thread()) {
    if (own.count(process) != 0) continue;
    const Family family = family_of(process);
    if (family.state == 'Z' && family.session != our_session) reap(process);
  }
}

}  // namespace freshet::core
