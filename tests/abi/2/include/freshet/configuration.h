// Settings: the single source of truth. Command lines, files and the environment only fill it.
//
//   configuration.set(options::kParallelismDefault, 4);
//   int parallelism = configuration.get(options::kParallelismDefault);
//
// Each value is kept as text with its origin. Of two origins the later kind in Origin::Kind wins,
// whatever the order of the calls; of the same kind, the later call. A plain value: copies are
// independent; as with any value, one thread writes or many read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "freshet/config_option.h"
#include "freshet/error.h"

namespace freshet {

// Where a value came from.
struct FRESHET_API Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kCommandLine, kMain };

  Kind kind = Kind::kDefault;
  std::string where;  // 'freshet.yaml:12', the variable's name, the flag; unused by the others

  static Origin file(const std::string& path, int line);
  static Origin environment(std::string variable) {
    return {Kind::kEnvironment, std::move(variable)};
  }
  static Origin command_line(std::string flag) { return {Kind::kCommandLine, std::move(flag)}; }
  static Origin main() { return {Kind::kMain, {}}; }

  // 'freshet.yaml:12', 'environment variable FRESHET_LOG_LEVEL', '-D on the command line', 'main'
  std::string text() const;

  friend bool operator==(const Origin&, const Origin&) = default;
};

// A value that its option refuses. In what() a secret's value is hidden and a long one cut.
class FRESHET_API BadValue : public InvalidInput {
 public:
  BadValue(std::string key, const std::string& value, Origin origin, std::string expected);
  ~BadValue() override;

  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }  // as shown in what()
  const Origin& origin() const { return origin_; }
  const std::string& expected() const { return expected_; }

 private:
  std::string key_, value_;
  Origin origin_;
  std::string expected_;
};

// get() of an option that has no default and is not set.
class FRESHET_API MissingValue : public InvalidInput {
 public:
  explicit MissingValue(const OptionInfo& option);
  ~MissingValue() override;
};

class FRESHET_API Configuration {
 public:
  struct Entry {
    std::string text;
    Origin origin;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  using Entries = std::map<std::string, Entry>;  // by key

  Configuration() = default;

  // The value set, else the default. Throws BadValue or MissingValue.
  template <class T>
  T get(const ConfigOption<T>& option) const {
    if (auto value = find(option)) return *std::move(value);
    if (option.default_value()) return *option.default_value();
    throw MissingValue(option.info());
  }

  // The value set, defaults aside. Throws BadValue.
  template <class T>
  std::optional<T> find(const ConfigOption<T>& option) const {
    const auto found = lookup(option.info());
    if (!found) return std::nullopt;
    T value{};
    if (!option.parse(found->text, value)) refuse(option.info());
    return value;
  }

  // Throws BadValue if the option would refuse the value.
  template <class T>
  void set(const ConfigOption<T>& option, const std::type_identity_t<T>& value,
           const Origin& origin = Origin::main()) {
    const std::string text = ConfigValue<T>::format(value);
    T parsed{};
    if (!option.parse(text, parsed))
      throw BadValue(option.key(), text, origin, option.info().expected);
    set_whole(option.info(), text, origin);
  }

  // Any key, known or not; the text is judged when it is read, or by validate(). Throws
  // InvalidInput if the key is empty.
  void set_raw(const std::string& key, std::string text, const Origin& origin);
  // Takes the key out, whatever its origin.
  void remove(const std::string& key) { entries_.erase(key); }

  template <class T>
  bool contains(const ConfigOption<T>& option) const {
    return lookup(option.info()).has_value();
  }
  bool contains(const std::string& key) const { return entries_.count(key) != 0; }

  template <class T>
  Origin origin(const ConfigOption<T>& option) const {
    const auto found = lookup(option.info());
    return found ? found->origin : Origin{};
  }

  // The option's text and origin as set by key, deprecated key, or item by item for a map.
  std::optional<Entry> lookup(const OptionInfo& option) const;

  // Adds what `other` holds, under the rule above.
  void merge(const Configuration& other);
  // The part that belongs to a scope; keys that nobody declared belong to the job.
  Configuration of_scope(Scope scope) const;

  // Throws BadValue for the first entry that a declared option refuses.
  void validate() const;
  // A line for each key that is unknown (with the nearest known one) or deprecated.
  std::vector<std::string> warnings() const;

  const Entries& to_entries() const& { return entries_; }
  Entries to_entries() && { return std::move(entries_); }
  static Configuration from_entries(Entries entries);

  friend bool operator==(const Configuration&, const Configuration&) = default;

 private:
  void set_whole(const OptionInfo& option, const std::string& text, const Origin& origin);
  Entries::const_iterator strongest(const OptionInfo& option) const;
  [[noreturn]] void refuse(const OptionInfo& option) const;

  Entries entries_;
};

}  // namespace freshet
