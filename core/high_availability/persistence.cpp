#include "high_availability/persistence.h"

#include <spdlog/spdlog.h>

namespace freshet::core {

Persistence::Persistence(ControlThread& thread, std::function<void(const std::string&)> lost)
    : thread_(thread), lost_(std::move(lost)) {}

Persistence::~Persistence() { alive_.end(); }

Persistence::Outcome Persistence::outcome_of_current_exception(std::string& error) {
  try {
    throw;
  } catch (const LeadershipLost& lost) {
    error = lost.what();
    return Outcome::kLost;
  } catch (const std::exception& other) {
    error = *other.what() ? other.what() : "it failed without a message";
  } catch (...) {
    error = "it failed with what is no std::exception";
  }
  return Outcome::kFailed;
}

void Persistence::lose(const std::string& reason) {
  if (lost()) return;
  const auto told = std::move(lost_);
  lost_ = nullptr;
  told(reason);
}

void Persistence::tell(const std::string& what, const std::string& error,
                       std::int64_t pause_ms) const {
  spdlog::warn("{}, it is tried again in {} ms: {}", what, pause_ms, error);
}

}  // namespace freshet::core
