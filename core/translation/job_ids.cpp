#include "translation/job_ids.h"

#include <random>
#include <utility>

#include "freshet/error.h"
#include "translation/stable_id.h"

namespace freshet::core {
namespace {

std::string random_application() {
  std::random_device device;
  std::string text;
  for (int i = 0; i < 4; ++i) text += std::to_string(device()) + '.';
  return text;
}

}  // namespace

JobIds::JobIds(std::string application)
    : application_(application.empty() ? random_application() : std::move(application)) {}

std::string JobIds::next(const std::string& fixed_application, const std::string& name,
                         const std::string& uid) {
  const std::string& id = fixed_application.empty() ? application_ : fixed_application;
  const std::lock_guard lock(mutex_);
  Application& application = applications_[id];
  if (uid.empty()) {
    const std::string before = std::to_string(application.used_names[name]++);
    return stable_id({"job name", id, name, before});
  }
  const auto [first, is_new] = application.name_of_uid.emplace(uid, name);
  if (!is_new) {
    throw InvalidInput("job uid '" + uid + "' is used by two jobs of this application, '" +
                       first->second + "' and '" + name + "': give each job a uid of its own");
  }
  return stable_id({"job uid", id, uid});
}

}  // namespace freshet::core
