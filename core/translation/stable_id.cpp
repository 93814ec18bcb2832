#include "translation/stable_id.h"

#include "security/sha256.h"

namespace freshet::core {

std::string stable_id(const std::vector<std::string_view>& parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  return Sha256::of(text).hex().substr(0, 32);
}

}  // namespace freshet::core
