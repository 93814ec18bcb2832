#include "shell_line.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "freshet/error.h"

namespace command_deployer {

namespace {

constexpr const char* kLine = "{}";
constexpr const char* kWords = "{words}";

}  // namespace

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

std::string line_of(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted(word);
  return line;
}

bool has_place(const std::string& text) {
  return text.find(kLine) != std::string::npos || text.find(kWords) != std::string::npos;
}

std::string filled(const std::string& text, const std::vector<std::string>& words) {
  const std::string line = line_of(words);
  std::string result = text;
  if (const std::size_t at = result.find(kWords); at != std::string::npos)
    return result.replace(at, std::strlen(kWords), line);
  return result.replace(result.find(kLine), std::strlen(kLine), quoted("exec " + line));
}

void run_line(const std::string& line) {
  std::string shell = "sh", option = "-c", text = line;
  char* words[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t child = 0;
  if (const int why = ::posix_spawn(&child, "/bin/sh", nullptr, nullptr, words, ::environ))
    throw freshet::Error(std::string("/bin/sh can't be started: ") + std::strerror(why));
  int state = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &state, 0)) < 0 && errno == EINTR) {
  }
  if (ended < 0)
    throw freshet::Error(std::string("how the command ended is not known: ") +
                         std::strerror(errno) + ": " + line);
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return;
  throw freshet::Error("the command ended with " +
                       (WIFEXITED(state) ? std::to_string(WEXITSTATUS(state))
                                         : "signal " + std::to_string(WTERMSIG(state))) +
                       ": " + line);
}

}  // namespace command_deployer
