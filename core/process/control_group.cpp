#include "process/control_group.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "process/started_process.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

constexpr int kWaits = 50;
constexpr int kWaitMs = 20;
constexpr const char* kPrefix = "freshet-";  // <prefix><id of the process>-<number>

// Where the file system of version 2 is mounted; there may be one beside those of version 1.
fs::path mount_point() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::size_t end = line.find(" - ");
    if (end == std::string::npos || line.compare(end + 3, 8, "cgroup2 ") != 0) continue;
    std::istringstream words(line);
    std::string id, parent, device, root, point;
    words >> id >> parent >> device >> root >> point;
    return point;
  }
  return {};
}

// The folder of the group of this process; empty if there is none.
fs::path own_group() {
  static const fs::path mounted = mount_point();  // a forked process has it from its template
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; !mounted.empty() && std::getline(groups, line);) {
    if (line.rfind("0::/", 0) == 0) return mounted / line.substr(4);
  }
  return {};
}

// The kernel takes it as a whole, or not.
bool write_to(const fs::path& file, const std::string& text) {
  const int to = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (to < 0) return false;
  const bool taken = ::write(to, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(to);
  return taken;
}

bool has_word(const fs::path& file, const std::string& wanted) {
  std::ifstream words(file);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// Its process has ended; the number may have come to another one, and then it stays for now.
bool is_left_over(const std::string& name) {
  if (name.rfind(kPrefix, 0) != 0) return false;
  const int process = std::atoi(name.c_str() + std::char_traits<char>::length(kPrefix));
  return process > 0 && has_ended(process);
}

std::vector<fs::path> groups_in(const fs::path& folder) {
  std::vector<fs::path> groups;
  std::error_code ignored;
  for (auto at = fs::directory_iterator(folder, ignored); at != fs::directory_iterator();
       at.increment(ignored)) {
    if (at->is_directory(ignored)) groups.push_back(at->path());
  }
  return groups;
}

int kill_file = -1;

void on_end_of_parent(int) {
  static_cast<void>(::write(kill_file, "1", 1) == 1);
  ::kill(::getpid(), SIGKILL);
}

}  // namespace

void ControlGroups::remove_left_over() {
  for (const fs::path& group : groups_in(own_group())) {
    if (is_left_over(group.filename())) remove(group);
  }
}

ControlGroups::ControlGroups() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  // A child that is no vfork's has copies of a sanitizer's locks, held by threads that it lacks.
  return;
#endif
  const fs::path own = own_group();
  if (own.empty()) return;
  base_ = own;
  const fs::path tried = make(0);
  std::error_code ignored;
  // Linux 5.14 brought the file by which all of a group is killed at once.
  if (tried.empty() || !fs::exists(tried / "cgroup.kill", ignored)) base_.clear();
  if (!tried.empty()) remove(tried);
}

fs::path ControlGroups::make(std::uint64_t number) const {
  if (base_.empty()) return {};
  const fs::path group =
      base_ / (kPrefix + std::to_string(::getpid()) + "-" + std::to_string(number));
  return ::mkdir(group.c_str(), 0755) == 0 ? group : fs::path();
}

void ControlGroups::kill(const fs::path& group) { write_to(group / "cgroup.kill", "1"); }

std::vector<pid_t> ControlGroups::processes(const fs::path& group) {
  std::vector<pid_t> found;
  std::ifstream numbers(group / "cgroup.procs");
  for (pid_t number = 0; numbers >> number;) found.push_back(number);
  for (const fs::path& inner : groups_in(group)) {
    const auto inside = processes(inner);
    found.insert(found.end(), inside.begin(), inside.end());
  }
  return found;
}

bool ControlGroups::can_limit_memory() {
  if (base_.empty() || !has_word(base_ / "cgroup.controllers", "memory")) return false;
  const fs::path control = base_ / "cgroup.subtree_control";
  if (has_word(control, "memory") || write_to(control, "+memory")) return true;
  // A group that has processes of its own can't hand on its memory to groups inside of it.
  const std::string self = std::to_string(::getpid());
  if (processes(base_) != std::vector<pid_t>{::getpid()}) return false;
  const fs::path own = base_ / (kPrefix + self + "-self");
  if (::mkdir(own.c_str(), 0755) != 0) return false;
  if (write_to(own / "cgroup.procs", self) && write_to(control, "+memory")) return true;
  write_to(base_ / "cgroup.procs", self);
  ::rmdir(own.c_str());
  return false;
}

bool ControlGroups::limit_memory(const fs::path& group, std::uint64_t bytes) {
  if (!write_to(group / "memory.max", std::to_string(bytes))) return false;
  write_to(group / "memory.swap.max", "0");  // there may be no swap
  write_to(group / "memory.oom.group", "1");
  return true;
}

bool ControlGroups::ran_out_of_memory(const fs::path& group) {
  std::ifstream events(group / "memory.events");
  std::string name;
  for (std::uint64_t count = 0; events >> name >> count;) {
    if (name == "oom_kill" && count > 0) return true;
  }
  return false;
}

bool ControlGroups::remove_if_empty(const fs::path& group) {
  if (group.empty()) return true;
  for (const fs::path& inner : groups_in(group)) remove_if_empty(inner);
  return ::rmdir(group.c_str()) == 0 || errno == ENOENT;
}

void ControlGroups::remove(const fs::path& group) {
  if (group.empty()) return;
  for (const fs::path& inner : groups_in(group)) remove(inner);
  // What was killed needs a moment to end, more of it if it is big.
  const int events = ::open((group / "cgroup.events").c_str(), O_RDONLY | O_CLOEXEC);
  for (int wait = 0; ::rmdir(group.c_str()) != 0 && errno == EBUSY && wait < kWaits; ++wait) {
    char text[256];
    static_cast<void>(::pread(events, text, sizeof text, 0) >= 0);
    pollfd changed{events, POLLPRI, 0};
    ::poll(&changed, 1, kWaitMs);
  }
  if (events >= 0) ::close(events);
}

void end_group_with_parent() {
  const fs::path own = own_group();
  if (own.filename().string().rfind(kPrefix, 0) != 0) return;
  if (kill_file >= 0) ::close(kill_file);
  kill_file = ::open((own / "cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC);
  if (kill_file < 0) return;
  const int number = SIGRTMAX - 1;
  struct sigaction action {};
  action.sa_handler = on_end_of_parent;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
  sigset_t open;
  sigemptyset(&open);
  sigaddset(&open, number);
  ::pthread_sigmask(SIG_UNBLOCK, &open, nullptr);
  ::prctl(PR_SET_PDEATHSIG, number);
}

}  // namespace freshet::core
