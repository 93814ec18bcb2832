#include <algorithm>
#include <cctype>
#include <mutex>

#include "freshet/config_option.h"

namespace freshet {
namespace {

struct Declarations {
  std::mutex mutex;
  std::vector<const detail::OptionDeclaration*> in_order;
};

// Never destroyed: globals of any module withdraw their options as the process ends.
Declarations& declarations() {
  static Declarations& all = *new Declarations;
  return all;
}

bool is_deprecated_key(const OptionInfo& option, std::string_view key) {
  return std::find(option.deprecated_keys.begin(), option.deprecated_keys.end(), key) !=
         option.deprecated_keys.end();
}

bool is_item_of_map(const OptionInfo& option, std::string_view key) {
  return option.is_map() && key.size() > option.key.size() + 1 && key.starts_with(option.key) &&
         key[option.key.size()] == '.';
}

bool is_named_like_a_secret(std::string_view key) {
  std::string lower(key);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* part : {"password", "secret", "token", "api-key", "apikey", "credential",
                           "private-key", "access-key"})
    if (lower.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

void detail::publish(const OptionDeclaration* declaration) {
  Declarations& all = declarations();
  const std::lock_guard lock(all.mutex);
  all.in_order.push_back(declaration);
}

void detail::withdraw(const OptionDeclaration* declaration) noexcept {
  Declarations& all = declarations();
  const std::lock_guard lock(all.mutex);
  std::erase(all.in_order, declaration);
}

std::vector<OptionInfo> OptionCatalog::all() {
  std::vector<OptionInfo> infos;
  {
    Declarations& all = declarations();
    const std::lock_guard lock(all.mutex);
    for (const auto* each : all.in_order) infos.push_back(each->info);
  }
  std::stable_sort(infos.begin(), infos.end(),
                   [](const OptionInfo& a, const OptionInfo& b) { return a.key < b.key; });
  const auto same_key = [](const OptionInfo& a, const OptionInfo& b) { return a.key == b.key; };
  infos.erase(std::unique(infos.begin(), infos.end(), same_key), infos.end());
  return infos;
}

std::optional<OptionInfo> OptionCatalog::find(std::string_view key) {
  Declarations& all = declarations();
  const std::lock_guard lock(all.mutex);
  for (const auto* each : all.in_order)
    if (each->info.key == key) return each->info;
  for (const auto* each : all.in_order)
    if (is_deprecated_key(each->info, key) || is_item_of_map(each->info, key)) return each->info;
  return std::nullopt;
}

bool OptionCatalog::accepts(std::string_view key, std::string_view text) {
  Declarations& all = declarations();
  const std::lock_guard lock(all.mutex);
  for (const auto* each : all.in_order)
    if (each->info.key == key) return each->accepts(*each, text);
  return true;
}

bool OptionCatalog::is_secret(std::string_view key) {
  const auto option = find(key);
  return option ? option->secret : is_named_like_a_secret(key);
}

}  // namespace freshet
