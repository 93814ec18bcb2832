// One setting: its key, type, default and meaning. Declared once, as a global:
//
//   const freshet::ConfigOption<freshet::Duration> kPause =
//       freshet::ConfigOption<freshet::Duration>{"user.pause", freshet::seconds(1),
//                                                "Pause between two rows.", freshet::Scope::kJob}
//           .minimum(freshet::milliseconds(1));
//
// While it lives it stands in the process's OptionCatalog, from which `fr config`, the reference
// page and the check for unknown keys come. Applications and plugins declare their own in the same
// way; keys that begin with 'user.' are left to applications.
//
// Threads: immutable once made; the catalogue may be read from any thread at any time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "freshet/config_value.h"

namespace freshet {

// Who may set it: a job carries only options of job scope to a cluster.
enum class Scope { kClient, kCluster, kJob };

template <>
struct EnumNames<Scope> {
  static constexpr EnumName<Scope> kNames[] = {
      {Scope::kClient, "client"}, {Scope::kCluster, "cluster"}, {Scope::kJob, "job"}};
};

// What the catalogue knows of an option, whatever its type.
struct OptionInfo {
  std::string key;
  std::string description;
  std::string type;      // 'int', 'list of string'
  std::string expected;  // what a value must be: 'an integer of 32 bits, from 1 to 32768'
  std::optional<std::string> default_text;
  Scope scope = Scope::kJob;
  std::vector<std::string> deprecated_keys;
  bool secret = false;

  // A map may also be given key by key: 'user.labels.team: blue'.
  bool is_map() const { return type == "map"; }
};

namespace detail {

struct OptionDeclaration {
  OptionInfo info;
  bool (*accepts)(const OptionDeclaration&, std::string_view text) = nullptr;
};

// The catalogue borrows the declaration, which must not change until it is withdrawn.
FRESHET_API void publish(const OptionDeclaration* declaration);
FRESHET_API void withdraw(const OptionDeclaration* declaration) noexcept;

template <class T>
struct TypedDeclaration : OptionDeclaration {
  std::optional<T> default_value, minimum, maximum;
  bool (*check)(const T&) = nullptr;
  std::string check_expected;

  bool parse(std::string_view text, T& value) const {
    return ConfigValue<T>::parse(text, value) && !(minimum && value < *minimum) &&
           !(maximum && *maximum < value) && !(check != nullptr && !check(value));
  }
};

template <class T>
FRESHET_HIDDEN bool accepts(const OptionDeclaration& declaration, std::string_view text) {
  T value{};
  return static_cast<const TypedDeclaration<T>&>(declaration).parse(text, value);
}

template <class T>
inline constexpr bool kHasBounds = (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) ||
                                   std::is_same_v<T, Duration> || std::is_same_v<T, MemorySize>;

}  // namespace detail

template <class T>
class ConfigOption {
 public:
  ConfigOption(const std::string& key, T default_value, const std::string& description, Scope scope)
      : ConfigOption(key, std::optional<T>(std::move(default_value)), description, scope, 0) {}
  // Without a default: get() throws MissingValue until it is set.
  ConfigOption(const std::string& key, std::nullopt_t, const std::string& description, Scope scope)
      : ConfigOption(key, std::optional<T>(), description, scope, 0) {}

  // Names that it had before: still read, with a warning.
  ConfigOption deprecated_keys(const std::vector<std::string>& keys) && {
    return changed([&](Declaration& d) { d.info.deprecated_keys = keys; });
  }
  // Shown as ****** wherever Freshet shows settings.
  ConfigOption secret() && {
    return changed([](Declaration& d) { d.info.secret = true; });
  }
  ConfigOption minimum(T least) && requires detail::kHasBounds<T> {
    return changed([&](Declaration& d) { d.minimum = least; });
  }
  ConfigOption maximum(T most) && requires detail::kHasBounds<T> {
    return changed([&](Declaration& d) { d.maximum = most; });
  }
  // Any other rule, with words that follow "expected ...". `holds` must not throw.
  ConfigOption check(bool (*holds)(const T&), const std::string& expected) && {
    return changed([&](Declaration& d) {
      d.check = holds;
      d.check_expected = expected;
    });
  }

  const std::string& key() const { return declaration_->info.key; }
  const OptionInfo& info() const { return declaration_->info; }
  const std::optional<T>& default_value() const { return declaration_->default_value; }
  // The value that `text` stands for, within the option's bounds; false if it is none.
  bool parse(std::string_view text, T& value) const { return declaration_->parse(text, value); }

 private:
  using Declaration = detail::TypedDeclaration<T>;

  ConfigOption(const std::string& key, std::optional<T> default_value,
               const std::string& description, Scope scope, int) {
    auto made = std::make_unique<Declaration>();
    made->info.key = key;
    made->info.description = description;
    made->info.type = ConfigValue<T>::type();
    made->info.scope = scope;
    if (default_value) made->info.default_text = ConfigValue<T>::format(*default_value);
    made->default_value = std::move(default_value);
    made->accepts = &detail::accepts<T>;
    declare(std::move(made));
  }
  explicit ConfigOption(std::unique_ptr<Declaration> declaration) {
    declare(std::move(declaration));
  }

  template <class Change>
  ConfigOption changed(Change change) const {
    auto copy = std::make_unique<Declaration>(*declaration_);
    change(*copy);
    return ConfigOption(std::move(copy));
  }

  void declare(std::unique_ptr<Declaration> made) {
    made->info.expected = ConfigValue<T>::expected();
    if (made->minimum && made->maximum)
      made->info.expected += ", from " + ConfigValue<T>::format(*made->minimum) + " to " +
                             ConfigValue<T>::format(*made->maximum);
    else if (made->minimum)
      made->info.expected += ", at least " + ConfigValue<T>::format(*made->minimum);
    else if (made->maximum)
      made->info.expected += ", at most " + ConfigValue<T>::format(*made->maximum);
    if (!made->check_expected.empty()) made->info.expected += ", " + made->check_expected;
    detail::publish(made.get());
    declaration_ = std::shared_ptr<const Declaration>(made.release(), [](const Declaration* old) {
      detail::withdraw(old);
      delete old;
    });
  }

  std::shared_ptr<const Declaration> declaration_;
};

// Every option declared in this process: Freshet's, and those of the modules loaded so far.
class FRESHET_API OptionCatalog {
 public:
  // By key, each key once: of two declarations the first counts.
  static std::vector<OptionInfo> all();
  // The option that `key` sets: by its key, a deprecated key, or as an item of a map.
  static std::optional<OptionInfo> find(std::string_view key);
  // Whether `text` is a value of the option with this very key; true for one it does not know.
  static bool accepts(std::string_view key, std::string_view text);
  // Whether the key's value is not to be shown: declared secret, or unknown and named like one.
  static bool is_secret(std::string_view key);
};

}  // namespace freshet
