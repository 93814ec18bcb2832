#include "child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace freshet::testing {

namespace {

std::string read_all(std::FILE* file) {
  std::string text;
  char chunk[4096];
  std::rewind(file);
  for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, file)) > 0;)
    text.append(chunk, n);
  return text;
}

[[noreturn]] void become(const std::vector<std::string>& arguments,
                         const Surroundings& surroundings, int output, int errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // As a shell's foreground gives them, also where the tests run in the background.
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::signal(signal, SIG_DFL);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  for (const auto& [name, value] : surroundings.variables) {
    if (value.empty()) {
      ::unsetenv(name.c_str());
    } else {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  if (!surroundings.folder.empty() && ::chdir(surroundings.folder.c_str()) != 0) ::_exit(126);
  if (surroundings.user != 0 &&
      (::setgid(static_cast<gid_t>(surroundings.user)) != 0 || ::setuid(surroundings.user) != 0)) {
    ::_exit(126);
  }
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

}  // namespace

double now_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void nap() {
  const timespec two_ms{0, 2'000'000};
  ::nanosleep(&two_ms, nullptr);
}

std::string Outcome::text() const {
  return "exit code " + std::to_string(code) + ", signal " + std::to_string(signal) + ", " +
         std::to_string(seconds) + " s\n--- output\n" + output.substr(0, 2'000) + "\n--- errors\n" +
         errors.substr(0, 4'000);
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const Surroundings& surroundings)
    : output_(std::tmpfile(), &std::fclose), errors_(std::tmpfile(), &std::fclose) {
  if (!output_ || !errors_) throw std::runtime_error("no temporary file for a child's output");
  started_ = now_seconds();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error(std::string("can't fork: ") + std::strerror(errno));
  if (pid_ == 0) become(arguments, surroundings, ::fileno(output_.get()), ::fileno(errors_.get()));
}

ChildProcess::~ChildProcess() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  reap(true);
}

void ChildProcess::send(int signal) const { ::kill(pid_, signal); }

bool ChildProcess::running() { return !reap(false); }

bool ChildProcess::reap(bool block) {
  while (!ended_) {
    const pid_t got = ::waitpid(pid_, &status_, block ? 0 : WNOHANG);
    if (got == 0) return false;
    if (got < 0 && errno == EINTR) continue;
    ended_ = true;
  }
  return true;
}

Outcome ChildProcess::wait(double seconds) {
  if (!eventually([&] { return reap(false); }, seconds)) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  Outcome outcome;
  outcome.seconds = now_seconds() - started_;
  if (WIFEXITED(status_)) outcome.code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) outcome.signal = WTERMSIG(status_);
  outcome.output = read_all(output_.get());
  outcome.errors = read_all(errors_.get());
  return outcome;
}

Outcome run(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  return ChildProcess(arguments, surroundings).wait();
}

}  // namespace freshet::testing
