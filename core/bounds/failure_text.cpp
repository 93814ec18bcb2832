#include "bounds/failure_text.h"

#include <algorithm>
#include <utility>

namespace freshet::core {
namespace {
constexpr char kThreadsFollow = '\f';
}  // namespace

FailureText FailureText::split(const std::string& joined) {
  const std::size_t at = joined.find(kThreadsFollow);
  if (at == std::string::npos) return {joined, {}};
  return {joined.substr(0, at), joined.substr(at + 1)};
}

std::string FailureText::join() const {
  return threads.empty() ? text : text + kThreadsFollow + threads;
}

std::string with_more(const std::string& joined, const std::string& more) {
  FailureText failure = FailureText::split(joined);
  failure.text += more;
  return failure.join();
}

std::string as_text_of_failure(std::string said) {
  std::replace(said.begin(), said.end(), kThreadsFollow, ' ');
  return said;
}

}  // namespace freshet::core
