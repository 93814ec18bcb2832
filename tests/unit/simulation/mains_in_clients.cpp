// What must hold of mains that clients run themselves.
#include <map>
#include <string>

#include "watcher.h"
#include "workload.h"

namespace freshet::testing {
using namespace core;
namespace {

std::string error_of_told(const Future<void>& told) {
  try {
    told.get();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

}  // namespace

bool Workload::mains_are_told() const {
  for (const Main& main : mains_) {
    if (clients_[main.client].gone) continue;
    if (!is_told(main.told->begun)) return false;
    if (main.told->exit_code && !is_told(main.told->end_told)) return false;
  }
  return true;
}

// After faults have stopped: nothing goes on whose main has failed, or has no client any more.
void Workload::check_mains_that_failed() {
  std::map<std::string, std::string> over;  // why
  for (const Main& main : mains_) {
    const auto& told = *main.told;
    if (main.twin) continue;
    if (told.exit_code && is_told(told.end_told) && !told.end.returned_zero) {
      over[main.id] = "main has failed";
    } else if (!told.exit_code && clients_[main.client].gone) {
      over[main.id] = "its client is gone";
    }
  }
  const auto goes_on = [&] {
    std::string text;
    JobManager* const job_manager = cluster_.job_manager();
    if (!job_manager) return text;
    for (const ApplicationInfo& info : job_manager->dispatcher().applications()) {
      const auto why = over.find(info.id);
      if (is_terminal(info.status) || why == over.end()) continue;
      text += "application " + info.id + " is " + name_of(info.status) + ", though " + why->second;
    }
    return text;
  };
  // To notice that a client is gone, the grace, and to end the jobs.
  const std::int64_t at_most_ms = 10'000 + client_grace_ms_;
  if (!cluster_.run_until([&] { return goes_on().empty(); }, at_most_ms)) {
    cluster_.breach(goes_on());
  }
}

void Workload::check_mains() {
  JobManager* job_manager = cluster_.job_manager();
  if (!job_manager) return;
  const std::uint64_t life = cluster_.job_manager_life();
  std::map<std::string, ApplicationInfo> records;
  for (ApplicationInfo& info : job_manager->dispatcher().applications()) {
    records[info.id] = std::move(info);
  }
  std::map<std::string, int> begun;
  for (const Main& main : mains_) {
    const bool gone = clients_[main.client].gone;
    if (!gone && !is_told(main.told->begun)) {
      cluster_.breach(clients_[main.client].name + " is never told whether " + main.id +
                      " has begun");
      continue;
    }
    if (!is_told(main.told->begun) || main.life != life) continue;
    const std::string refused = error_of_told(main.told->begun);
    if (!refused.empty()) {
      const bool named = begins(refused, ("application.id '" + main.id + "' is used by").c_str());
      if (!gone && !(main.twin && named)) {
        cluster_.breach("main " + main.id + " was refused: " + refused);
      }
      continue;
    }
    ++begun[main.id];
    const auto record = records.find(main.id);
    if (record == records.end()) {
      if (!job_manager->dispatcher().has_dropped(main.id)) {
        cluster_.breach("main " + main.id + " has begun, and its application is not there");
      }
      continue;
    }
    check_main(main, record->second);
  }
  for (const auto& [id, times] : begun) {
    if (times > 1) cluster_.breach("application " + id + " was begun twice");
  }
}

void Workload::check_main(const Main& main, const ApplicationInfo& record) {
  const Client& client = clients_[main.client];
  const bool lost = begins(record.reason, "its client is lost: ");
  const bool left = begins(record.reason, (client.name + " has left ").c_str());
  ++ends_[lost   ? "main lost"
          : left ? "main left without a word"
                 : std::string("main ") + name_of(record.status)];
  constexpr std::int64_t kBackMs = 3'000;
  if (lost && !client.gone && client.longest_away_ms + kBackMs < client_grace_ms_) {
    cluster_.breach(client.name + " was away for " + std::to_string(client.longest_away_ms) +
                    " ms at the most, but " + main.id + ": " + record.reason);
  }
  if (left && !client.gone) {
    cluster_.breach(client.name + " has not left, but " + main.id + ": " + record.reason);
  }
  if (!main.told->exit_code || lost || left || record.status == ApplicationStatus::kCanceled) {
    return;
  }
  // Its client may have gone before that arrived.
  if (!is_told(main.told->end_told)) return;
  const std::string refused = error_of_told(main.told->end_told);
  if (!refused.empty()) {
    if (!client.gone) cluster_.breach("the end of main " + main.id + " was refused: " + refused);
    return;
  }
  if (record.exit_code != main.told->exit_code) {
    cluster_.breach("main " + main.id + " has ended with " + std::to_string(*main.told->exit_code) +
                    ", the record has " +
                    (record.exit_code ? std::to_string(*record.exit_code) : "nothing"));
  }
  const MainEnd& end = main.told->end;
  if (end.returned_zero || end.canceled) return;
  if (record.status != ApplicationStatus::kFailed || record.reason != end.reason) {
    cluster_.breach("main " + main.id + " has failed (" + end.reason + "), its application is " +
                    name_of(record.status) + ": " + record.reason);
  }
}

}  // namespace freshet::testing
