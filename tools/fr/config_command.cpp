// fr config: every option, those of plugins too, with what it means, the value that counts, and
// where that came from.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "configuration/configuration.h"
#include "configuration/reference_page.h"
#include "configuration_flags.h"
#include "configuration_warnings.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/nearest_name.h"

namespace freshet::tool {
using namespace core;
namespace {

struct Request {
  ConfigurationFlags flags;
  std::vector<std::string> keys;
  bool json = false;
  bool markdown = false;
};

// An option, or a key that is set and belongs to none.
struct Row {
  OptionInfo option;
  bool declared = true;
  std::optional<Configuration::Entry> set;
  bool secret = false;
  std::string plugin = {};  // whose option it is; empty: Freshet's

  std::optional<std::string> value() const {
    if (!set) return secret && option.default_text ? "******" : option.default_text;
    return secret ? "******" : set->text;
  }
  std::string origin() const { return set ? set->origin.text() : "default"; }
};

std::vector<Row> all_rows(const Configuration& configuration, const OptionsOfPlugins& plugins) {
  std::vector<Row> rows;
  for (OptionInfo& option : OptionCatalog::all()) {
    const auto set = configuration.lookup(option);
    const bool secret = option.secret;
    const auto plugin = plugins.find(option.key);
    rows.push_back({std::move(option), true, set, secret,
                    plugin == plugins.end() ? std::string() : plugin->second});
  }
  for (const auto& [key, entry] : configuration.to_entries()) {
    if (OptionCatalog::find(key)) continue;
    Row row;
    row.option.key = key;
    row.declared = false;
    row.set = entry;
    row.secret = OptionCatalog::is_secret(key);
    rows.push_back(std::move(row));
  }
  return rows;
}

// A word of the command line is a key, a deprecated key, or the first parts of keys.
bool names(const std::string& word, const OptionInfo& option) {
  if (option.key == word || option.key.starts_with(word + ".")) return true;
  const auto found = OptionCatalog::find(word);
  return found && found->key == option.key;
}

std::vector<Row> rows_named(const std::vector<std::string>& words, std::vector<Row> rows) {
  if (words.empty()) return rows;
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (const Row& row : rows) keys.push_back(row.option.key);
  for (const std::string& word : words) {
    const bool found = std::any_of(rows.begin(), rows.end(),
                                   [&](const Row& row) { return names(word, row.option); });
    if (found) continue;
    const std::string nearest = nearest_name(word, keys);
    throw InvalidInput(
        "there is no option '" + word + "'" +
        (nearest.empty() ? ": 'fr config' lists all" : ": did you mean '" + nearest + "'?"));
  }
  std::erase_if(rows, [&](const Row& row) {
    return std::none_of(words.begin(), words.end(),
                        [&](const std::string& word) { return names(word, row.option); });
  });
  return rows;
}

// A value may hold line ends and what steers a terminal.
std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n')
      line += "\\n";
    else
      line += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return line;
}

void print_text(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto value = row.value();
    std::printf("%s%s%s  (%s)\n", on_one_line(row.option.key).c_str(),
                value ? " = " : " is not set", value ? on_one_line(*value).c_str() : "",
                row.origin().c_str());
    if (!row.declared) {
      std::printf("    not an option of Freshet or of a plugin that is found\n");
      continue;
    }
    const std::string& fallback = row.option.default_text.value_or("none");
    std::printf("    %s, default %s, scope %s: %s%s\n", row.option.type.c_str(),
                row.secret         ? "******"
                : fallback.empty() ? "empty"
                                   : fallback.c_str(),
                ConfigValue<Scope>::format(row.option.scope).c_str(), row.option.expected.c_str(),
                row.plugin.empty() ? "" : (", of the plugin " + row.plugin).c_str());
    std::printf("    %s\n", row.option.description.c_str());
  }
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const auto text_or_null = [](const std::optional<std::string>& text) {
    return text ? nlohmann::ordered_json(*text) : nlohmann::ordered_json(nullptr);
  };
  for (const Row& row : rows) {
    nlohmann::ordered_json item;
    item["key"] = row.option.key;
    item["value"] = text_or_null(row.value());
    item["origin"] = row.origin();
    item["declared"] = row.declared;
    item["plugin"] =
        row.plugin.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(row.plugin);
    if (row.declared) {
      item["type"] = row.option.type;
      item["expected"] = row.option.expected;
      item["default"] = row.secret && row.option.default_text
                            ? nlohmann::ordered_json("******")
                            : text_or_null(row.option.default_text);
      item["scope"] = ConfigValue<Scope>::format(row.option.scope);
      item["description"] = row.option.description;
      item["deprecated_keys"] = row.option.deprecated_keys;
    }
    item["secret"] = row.secret;
    list.push_back(std::move(item));
  }
  // Values may hold any bytes; what is no UTF-8 is replaced.
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  std::printf("%s\n", list.dump(2, ' ', false, replace).c_str());
}

int run(const Request& request) {
  Configuration configuration = request.flags.load();
  const OptionsOfPlugins& plugins = load_options_of_plugins(configuration);
  if (request.markdown) {
    std::fputs(configuration_reference_page(OptionCatalog::all(), plugins).c_str(), stdout);
    return exit_code::kDone;
  }
  adopt_new_options(configuration, process_environment());

  const auto rows = rows_named(request.keys, all_rows(configuration, plugins));
  request.json ? print_json(rows) : print_text(rows);
  return exit_code::kDone;
}

const Command kConfig(
    "config", "List all options, those of plugins too: value, origin, type, default, meaning.",
    [](CLI::App& command) -> Command::Run {
      auto request = std::make_shared<Request>();
      request->flags.add_to(command);
      command.add_option("key", request->keys, "Only these options; 'pipeline' means 'pipeline.*'");
      auto* json = command.add_flag("--json", request->json, "As JSON");
      command
          .add_flag("--markdown", request->markdown,
                    "As the reference page: what there is, not what is set")
          ->excludes(json);
      return [request] { return run(*request); };
    });

}  // namespace
}  // namespace freshet::tool
