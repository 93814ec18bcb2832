#include "freshet/configuration.h"

#include <algorithm>

#include "freshet/plugin/nearest_name.h"

namespace freshet {
namespace {

constexpr const char* kHidden = "******";

// One line of bounded length, whatever stands in the file.
std::string shown(const std::string& value) {
  constexpr std::size_t kLongest = 200;
  constexpr const char* kHex = "0123456789abcdef";
  std::string text;
  for (const char c : value) {
    if (text.size() >= kLongest) return text + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      text += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    else
      text += c;
  }
  return text;
}

std::string shown_unless_secret(const std::string& key, const std::string& value) {
  return OptionCatalog::is_secret(key) ? kHidden : shown(value);
}

using StringMap = std::map<std::string, std::string>;

}  // namespace

Origin Origin::file(const std::string& path, int line) {
  return {Kind::kFile, path + ":" + std::to_string(line)};
}

std::string Origin::text() const {
  switch (kind) {
    case Kind::kDefault:
      return "default";
    case Kind::kFile:
      return where;
    case Kind::kEnvironment:
      return "environment variable " + where;
    case Kind::kCommandLine:
      return where + " on the command line";
    case Kind::kMain:
      return "main";
  }
  return "unknown";
}

BadValue::BadValue(std::string key, const std::string& value, Origin origin, std::string expected)
    : InvalidInput("bad value '" + shown_unless_secret(key, value) + "' for option '" + shown(key) +
                   "' (" + origin.text() + "): expected " + expected),
      key_(std::move(key)),
      value_(shown_unless_secret(key_, value)),
      origin_(std::move(origin)),
      expected_(std::move(expected)) {}

BadValue::~BadValue() = default;

MissingValue::MissingValue(const OptionInfo& option)
    : InvalidInput("option '" + option.key +
                   "' is not set and has no default: set it, for example with -D " + option.key +
                   "=VALUE, where VALUE is " + option.expected) {}

MissingValue::~MissingValue() = default;

void Configuration::set_raw(const std::string& key, std::string text, const Origin& origin) {
  if (key.empty())
    throw InvalidInput("a setting without a key (" + origin.text() + ", value '" + shown(text) +
                       "'): write key=value");
  Entry& entry = entries_[key];
  if (origin.kind >= entry.origin.kind) entry = {std::move(text), origin};
}

void Configuration::set_whole(const OptionInfo& option, const std::string& text,
                              const Origin& origin) {
  set_raw(option.key, text, origin);
  if (!option.is_map()) return;
  // The whole map replaces items that were set one by one.
  std::erase_if(entries_, [&](const auto& each) {
    return each.first.starts_with(option.key + ".") && each.second.origin.kind <= origin.kind;
  });
}

// The entry of the latest origin among the option's keys, its own key first; end() if none is set.
Configuration::Entries::const_iterator Configuration::strongest(const OptionInfo& option) const {
  auto best = entries_.find(option.key);
  for (const std::string& key : option.deprecated_keys) {
    const auto old = entries_.find(key);
    if (old == entries_.end()) continue;
    if (best == entries_.end() || best->second.origin.kind < old->second.origin.kind) best = old;
  }
  return best;
}

std::optional<Configuration::Entry> Configuration::lookup(const OptionInfo& option) const {
  const auto whole = strongest(option);
  std::optional<Entry> found;
  if (whole != entries_.end()) found = whole->second;
  if (!option.is_map()) return found;

  StringMap map;
  if (found && !ConfigValue<StringMap>::parse(found->text, map)) return found;
  const std::string prefix = option.key + ".";
  const Origin::Kind least = found ? found->origin.kind : Origin::Kind::kDefault;
  for (auto item = entries_.upper_bound(prefix);
       item != entries_.end() && item->first.starts_with(prefix); ++item) {
    const Origin& origin = item->second.origin;
    if (origin.kind < least) continue;  // the whole map came later
    map[item->first.substr(prefix.size())] = item->second.text;
    if (!found || found->origin.kind < origin.kind) found = {{}, origin};
  }
  if (found) found->text = ConfigValue<StringMap>::format(map);
  return found;
}

void Configuration::refuse(const OptionInfo& option) const {
  const auto whole = strongest(option);
  StringMap map;
  const bool is_whole =
      whole != entries_.end() &&
      (!option.is_map() || !ConfigValue<StringMap>::parse(whole->second.text, map));
  if (is_whole)
    throw BadValue(whole->first, whole->second.text, whole->second.origin, option.expected);
  const auto entry = lookup(option).value_or(Entry{});
  throw BadValue(option.key, entry.text, entry.origin, option.expected);
}

void Configuration::merge(const Configuration& other) {
  for (const auto& [key, entry] : other.entries_) set_raw(key, entry.text, entry.origin);
}

Configuration Configuration::of_scope(Scope scope) const {
  Configuration part;
  for (const auto& [key, entry] : entries_) {
    const auto option = OptionCatalog::find(key);
    if ((option ? option->scope : Scope::kJob) == scope) part.entries_.emplace(key, entry);
  }
  return part;
}

void Configuration::validate() const {
  for (const OptionInfo& option : OptionCatalog::all()) {
    const auto entry = lookup(option);
    if (entry && !OptionCatalog::accepts(option.key, entry->text)) refuse(option);
  }
}

std::vector<std::string> Configuration::warnings() const {
  std::vector<std::string> known;
  for (const OptionInfo& option : OptionCatalog::all()) known.push_back(option.key);

  std::vector<std::string> lines;
  for (const auto& [key, entry] : entries_) {
    if (key.starts_with("user.")) continue;
    const auto option = OptionCatalog::find(key);
    if (!option) {
      const std::string nearest = nearest_name(key, known);
      lines.push_back("unknown option '" + shown(key) + "' (" + entry.origin.text() + "): " +
                      (nearest.empty() ? "'fr config' lists all; an application's own begin with "
                                         "'user.'"
                                       : "did you mean '" + nearest + "'?"));
    } else if (std::find(option->deprecated_keys.begin(), option->deprecated_keys.end(), key) !=
               option->deprecated_keys.end()) {
      lines.push_back("option '" + key + "' (" + entry.origin.text() + ") is deprecated: use '" +
                      option->key + "'");
    }
  }
  return lines;
}

Configuration Configuration::from_entries(Entries entries) {
  if (entries.count("") != 0) throw InvalidInput("a configuration entry has an empty key");
  Configuration configuration;
  configuration.entries_ = std::move(entries);
  return configuration;
}

}  // namespace freshet
