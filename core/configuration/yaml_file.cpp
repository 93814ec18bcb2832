#include "configuration/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

namespace freshet::core {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20;
constexpr int kDeepestNesting = 32;
// Aliases can make a short file expand without bound.
constexpr std::size_t kMostNodes = 100'000;

int line_of(const YAML::Mark& mark) { return mark.line < 0 ? 1 : mark.line + 1; }

// Walks one document into entries.
class Flattening {
 public:
  explicit Flattening(const std::string& name) : name_(name) {}

  void add_map(const YAML::Node& map, const std::string& prefix, int depth) {
    if (depth > kDeepestNesting)
      refuse(map, "settings nested deeper than " + std::to_string(kDeepestNesting) + " levels");
    for (const auto& item : map) {
      count(item.first);
      if (!item.first.IsScalar() || item.first.Scalar().empty())
        refuse(item.first, "a key under '" + prefix + "' that is not a word");
      add(item.first, item.second, prefix + item.first.Scalar(), depth);
    }
  }

  [[noreturn]] void refuse(const YAML::Node& node, const std::string& what) const {
    throw BadConfigurationFile(name_ + ":" + std::to_string(line_of(node.Mark())) + ": " + what +
                               "; expected lines of 'key: value'");
  }

  Configuration::Entries entries;

 private:
  void add(const YAML::Node& key_node, const YAML::Node& value, const std::string& key, int depth) {
    switch (value.Type()) {
      case YAML::NodeType::Map:
        return add_map(value, key + ".", depth + 1);
      case YAML::NodeType::Scalar:
        return put(key_node, key, value.Scalar());
      case YAML::NodeType::Sequence:
        return put(key_node, key, list_text(value, key));
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        refuse(key_node,
               "'" + key + "' has no value: give it one, '' for empty text, or remove it");
    }
  }

  std::string list_text(const YAML::Node& list, const std::string& key) {
    std::vector<std::string> items;
    for (const auto& item : list) {
      count(item);
      if (!item.IsScalar()) refuse(list, "the list '" + key + "' holds more than plain values");
      items.push_back(item.Scalar());
    }
    return ConfigValue<std::vector<std::string>>::format(items);
  }

  void put(const YAML::Node& key_node, const std::string& key, const std::string& text) {
    const Origin origin = Origin::file(name_, line_of(key_node.Mark()));
    const auto [entry, added] = entries.try_emplace(key, Configuration::Entry{text, origin});
    if (!added)
      refuse(key_node, "'" + key + "' is set a second time, after " + entry->second.origin.where);
  }

  void count(const YAML::Node& node) {
    if (++nodes_ > kMostNodes)
      refuse(node, "more than " + std::to_string(kMostNodes) + " settings");
  }

  const std::string& name_;
  std::size_t nodes_ = 0;
};

}  // namespace

BadConfigurationFile::~BadConfigurationFile() = default;

Configuration parse_yaml(const std::string& text, const std::string& name) {
  try {
    // yaml-cpp takes a newline at the end of the file for the quote that is missing; a comment it
    // does not.
    const std::vector<YAML::Node> documents = YAML::LoadAll(text + "\n#");
    Flattening flattening(name);
    if (documents.size() > 1)
      flattening.refuse(documents[1], "a second YAML document, but a configuration is one");
    if (!documents.empty() && documents[0].IsDefined() && !documents[0].IsNull()) {
      if (!documents[0].IsMap()) flattening.refuse(documents[0], "the file is no map of settings");
      flattening.add_map(documents[0], "", 1);
    }
    return Configuration::from_entries(std::move(flattening.entries));
  } catch (const YAML::Exception& error) {
    throw BadConfigurationFile(name + ":" + std::to_string(line_of(error.mark)) +
                               ": not valid YAML: " + error.msg);
  }
}

Configuration read_yaml_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char chunk[4096];
  while (file.read(chunk, sizeof chunk), file.gcount() > 0) {
    text.append(chunk, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kLargestFile)
      throw BadConfigurationFile("configuration file '" + path + "' is larger than " +
                                 ConfigValue<MemorySize>::format(MemorySize(kLargestFile)) +
                                 ": is it the right file?");
  }
  if (!file.is_open() || file.bad())
    throw BadConfigurationFile("configuration file '" + path + "' can't be read: " +
                               std::generic_category().message(errno == 0 ? EIO : errno));
  return parse_yaml(text, path);
}

}  // namespace freshet::core
