// Ids of the jobs of one application. A main that runs again gives its jobs the same ids, as long
// as the application id is the same and each job has a uid, or all are submitted in the same order.
//
//   with a uid     hash(application id, uid)
//   without        hash(application id, name, how many of that name came before)
//
// Threads    Any.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

class FRESHET_API JobIds {
 public:
  // `application` counts where the configuration does not fix 'application.id'. Empty: a random
  // one.
  explicit JobIds(std::string application = "");

  // `fixed_application` is the value of 'application.id', or empty. Throws InvalidInput if the
  // application has used that uid before.
  std::string next(const std::string& fixed_application, const std::string& name,
                   const std::string& uid);

 private:
  struct Application {
    std::map<std::string, std::string> name_of_uid;
    std::map<std::string, std::uint64_t> used_names;
  };
  const std::string application_;
  std::mutex mutex_;
  std::map<std::string, Application> applications_;
};

}  // namespace freshet::core
