#include "process/process_templates.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

namespace freshet::core {
namespace {

constexpr std::int64_t kKeptNs = 60'000'000'000;
constexpr std::size_t kRoomBytes = 64;  // for the name of a child

std::vector<std::string> kind_of(const ProcessSpec& spec) {
  std::vector<std::string> kind = spec.command;
  for (const auto& [name, value] : spec.environment) kind.push_back(name + "=" + value);
  return kind;
}

// The beginning of it; nobody reads it otherwise.
std::string printed_by(const ChildProcess& process) {
  std::string text(1024, '\0');
  const ssize_t got = ::read(process.stream(ChildProcess::kOutput), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

}  // namespace

std::unique_ptr<ChildProcess> ProcessTemplates::fork(const ProcessSpec& spec, std::int64_t now_ns) {
  if (!spec.may_be_forked || !groups_.are_to_be_had()) return nullptr;
  const auto [at, is_new] = kinds_.try_emplace(kind_of(spec));
  Kind& kind = at->second;
  if (is_new) {
    kind.spec.command = spec.command;
    kind.spec.environment = spec.environment;
    kind.spec.shown_as = "(template)" + std::string(kRoomBytes, ' ');
  } else {
    kind.wanted_often = kind.wanted_often || now_ns - kind.wanted_ns < kKeptNs;
  }
  kind.wanted_ns = now_ns;
  if (!kind.process || !kind.process->is_ready()) return nullptr;
  try {
    return std::make_unique<ChildProcess>(*kind.process,
                                          ChildProcess::Start{spec.inherited, spec.separate_errors},
                                          groups_, ++last_number_);
  } catch (const std::exception& error) {
    spdlog::warn("'{}' is started anew: {}", spec.name, error.what());
    kind.process.reset();
    return nullptr;
  }
}

void ProcessTemplates::tend(std::int64_t now_ns) {
  for (auto& [name, kind] : kinds_) {
    if (kind.process && kind.process->has_ended()) {
      spdlog::warn("the template of '{}' has ended by itself; it printed: {}",
                   kind.spec.command.back(), printed_by(*kind.process));
      kind.process.reset();
      kind.wanted_often = false;  // else one that can't serve would be started for ever
    }
    if (now_ns - kind.wanted_ns >= kKeptNs) {
      kind.process.reset();
      kind.wanted_often = false;
    } else if (!kind.process && kind.wanted_often) {
      try {
        kind.process =
            std::make_unique<ChildProcess>(kind.spec.whole_command(), kind.spec.environment,
                                           std::nullopt, groups_, ++last_number_);
      } catch (const std::exception& error) {
        spdlog::warn("no template of '{}' can be started: {}", kind.spec.command.back(),
                     error.what());
        kind.wanted_often = false;
      }
    }
  }
}

int ProcessTemplates::wait_ms(std::int64_t now_ns) const {
  int wait = -1;
  for (const auto& [name, kind] : kinds_) {
    if (!kind.process) continue;
    const std::int64_t left_ns = std::max<std::int64_t>(kind.wanted_ns + kKeptNs - now_ns, 0);
    const int ms = static_cast<int>((left_ns + 999'999) / 1'000'000);
    wait = wait < 0 ? ms : std::min(wait, ms);
  }
  return wait;
}

std::vector<int> ProcessTemplates::watches() const {
  std::vector<int> watches;
  for (const auto& [name, kind] : kinds_) {
    if (kind.process) watches.push_back(kind.process->watch());
  }
  return watches;
}

std::set<pid_t> ProcessTemplates::ids() const {
  std::set<pid_t> ids;
  for (const auto& [name, kind] : kinds_) {
    if (kind.process) ids.insert(kind.process->id());
  }
  return ids;
}

}  // namespace freshet::core
