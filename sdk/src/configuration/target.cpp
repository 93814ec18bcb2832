#include "freshet/target.h"

#include "freshet/configuration.h"
#include "freshet/options.h"

namespace freshet {
namespace {

constexpr std::string_view kSession = "-session";

}  // namespace

Target Target::parse(std::string_view text) {
  const bool is_session = text.size() > kSession.size() && text.ends_with(kSession);
  if (is_session) text.remove_suffix(kSession.size());
  return {std::string(text), is_session};
}

Target Target::of(const Configuration& configuration) {
  return parse(configuration.find(options::kExecutionTarget).value_or(std::string()));
}

std::string Target::text() const { return is_session ? name + std::string(kSession) : name; }

}  // namespace freshet
