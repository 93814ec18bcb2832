// The base of every error that Freshet throws at a caller.
//
// what() is one line that names the thing, both values and the mend; it is what a user is shown.
#pragma once

#include <stdexcept>
#include <string>

#include "freshet/api.h"

namespace freshet {

class FRESHET_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  ~Error() override;
};

// The request itself is wrong: a bad value, a bad argument, a plan that can't be executed. `fr` and
// `fr-run` end with 65, or with 64 if it is the command line that is wrong.
class FRESHET_API InvalidInput : public Error {
 public:
  using Error::Error;
  ~InvalidInput() override;
};

// The task or job that this code runs for has been canceled; thrown by the call that would have
// waited. Let it pass: whoever canceled is told of no failure.
class FRESHET_API Canceled : public Error {
 public:
  using Error::Error;
  ~Canceled() override;
};

// A committer can't make visible what was prepared, and could not do so later either, such as when
// something that is not the job's stands in its place. Any other exception of a committer is tried
// again until execution.commit-timeout.
class FRESHET_API CommitRefused : public Error {
 public:
  using Error::Error;
  ~CommitRefused() override;
};

}  // namespace freshet
