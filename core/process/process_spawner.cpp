#include "process/process_spawner.h"

#include <cstring>

#include "freshet/error.h"

namespace freshet::core {

ProcessSpawner::~ProcessSpawner() = default;

LogChunk ProcessSpawner::read_log(const std::string& name, std::uint64_t) const {
  throw InvalidInput("no log of a process '" + name + "' is kept here");
}

std::string ProcessEnd::text() const {
  if (exit_code) return "exited with " + std::to_string(*exit_code);
  if (!signal) return "could not be started";
  if (!killed_because.empty()) return "killed because " + killed_because;
  const char* words = ::sigdescr_np(*signal);
  return "killed by signal " + std::to_string(*signal) +
         (words != nullptr ? std::string(" (") + words + ")" : std::string()) +
         (crash ? crash->circumstances + crash->stack : std::string());
}

std::vector<std::string> ProcessSpec::whole_command() const {
  std::vector<std::string> whole = command;
  if (!shown_as.empty()) whole.push_back(shown_as);
  return whole;
}

}  // namespace freshet::core
