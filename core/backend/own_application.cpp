#include "backend/own_application.h"

#include <errno.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "control/alive.h"
#include "control/id_source.h"
#include "freshet/options.h"
#include "freshet/target.h"
#include "task/forked_child.h"

namespace freshet::core {

OwnApplication::OwnApplication(Connect connect, std::function<void()> has_begun)
    : connect_(std::move(connect)), has_begun_(std::move(has_begun)) {}

void OwnApplication::set_cluster(std::shared_ptr<ClusterClient> cluster,
                                 std::string application_id) {
  const std::lock_guard lock(mutex_);
  own_cluster_ = std::move(cluster);
  id_ = std::move(application_id);
}

void OwnApplication::begin(const Configuration& configuration, const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    name_ = name;
  }
  static_cast<void>(cluster(configuration));
}

std::shared_ptr<ClusterClient> OwnApplication::cluster(const Configuration& configuration) {
  Connected connected = connection(configuration);
  if (connected.mains) begin_at(connected.mains);
  return std::move(connected.cluster);
}

std::shared_ptr<ClusterClient> OwnApplication::connected(const Configuration& configuration) {
  return connection(configuration).cluster;
}

OwnApplication::Connected OwnApplication::connection(const Configuration& configuration) {
  refuse_in_forked_child("a cluster can't be reached");
  const std::string name =
      Target::of(configuration).text() + ' ' + configuration.find(options::kClusterId).value_or("");
  {
    const std::lock_guard lock(mutex_);
    if (own_cluster_) return {own_cluster_, nullptr};
    if (const auto at = connected_.find(name); at != connected_.end()) return at->second;
  }
  Connected made = connect_(configuration);
  const std::lock_guard lock(mutex_);
  // main runs here: its jobs are one application.
  if (id_.empty()) id_ = configuration.find(options::kApplicationId).value_or(RandomIds().draw());
  return connected_.emplace(name, std::move(made)).first->second;
}

void OwnApplication::begin_at(const std::shared_ptr<MainsInClient>& mains) {
  std::string id, name;
  {
    const std::lock_guard lock(mutex_);
    id = id_;
    name = name_.empty() ? program_invocation_short_name : name_;
  }
  const std::lock_guard lock(notifying_);
  if (is_over_ || std::count(notified_.begin(), notified_.end(), mains) > 0) return;
  if (ticket_.empty()) ticket_ = RandomIds().draw();
  mains->begin(id, name, ticket_).get();
  if (notified_.empty()) has_begun_();
  notified_.push_back(mains);
}

void OwnApplication::end(int exit_code, const MainEnd& end) {
  const std::string id = this->id();
  const std::lock_guard lock(notifying_);
  if (notified_.empty() || std::exchange(is_over_, true)) return;
  std::vector<Future<void>> answers;
  for (const auto& mains : notified_) answers.push_back(mains->end(id, exit_code, end));
  constexpr std::int64_t kPatienceMs = 2'000;
  for (const Future<void>& each : answers) {
    if (each.wait_for(kPatienceMs) && !error_of(each).empty())
      spdlog::debug("the end of main was not taken: {}", error_of(each));
  }
}

std::string OwnApplication::id() const {
  const std::lock_guard lock(mutex_);
  return id_;
}

bool OwnApplication::has_lost_records() const {
  const std::lock_guard lock(notifying_);
  return std::any_of(notified_.begin(), notified_.end(),
                     [](const auto& mains) { return mains->has_lost_records(); });
}

}  // namespace freshet::core
