// fr plugin list: what the search path holds, and what of it counts.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "configuration_flags.h"
#include "exit_code/exit_code.h"
#include "freshet/options.h"
#include "plugin/plugin_command.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::tool {
using namespace core;
namespace {

using Json = nlohmann::ordered_json;

struct Request {
  ConfigurationFlags configuration;
  bool json = false;
};

const char* name_of(CatalogEntry::State state) {
  switch (state) {
    case CatalogEntry::State::kUsable:
      return "usable";
    case CatalogEntry::State::kShadowed:
      return "shadowed";
    case CatalogEntry::State::kRefused:
      return "refused";
  }
  return "";
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

std::string kind_of(const CatalogEntry& entry) {
  const std::uint32_t kind = entry.file.identity.kind;
  return kind == 0 ? "" : kind_name(kind);
}

void print_text(const PluginCatalog& catalog) {
  std::vector<std::array<std::string, 4>> rows{{"NAME", "KIND", "VERSION", "STATE"}};
  for (const CatalogEntry& entry : catalog.entries()) {
    const PluginIdentity& identity = entry.file.identity;
    rows.push_back({or_dash(identity.name), or_dash(kind_of(entry)), or_dash(identity.version),
                    name_of(entry.state)});
  }
  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  const auto print_row = [&](std::size_t r, const std::string& file) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      std::printf("%-*s  ", static_cast<int>(widths[c]), rows[r][c].c_str());
    }
    std::printf("%s\n", file.c_str());
  };
  if (!catalog.entries().empty()) print_row(0, "FILE");
  for (std::size_t i = 0; i < catalog.entries().size(); ++i) {
    const CatalogEntry& entry = catalog.entries()[i];
    print_row(i + 1, printable(entry.file.path.native(), 4096));
    if (!entry.reason.empty()) std::printf("    %s\n", entry.reason.c_str());
    for (const auto& shadowed : entry.shadows) {
      std::printf("    shadows %s\n", printable(shadowed.native(), 4096).c_str());
    }
  }
  for (const SearchFolder& folder : catalog.search_path().folders()) {
    std::printf("looked in %s\n", folder.text().c_str());
  }
}

void print_json(const PluginCatalog& catalog) {
  Json list{{"plugins", Json::array()}, {"folders", Json::array()}};
  for (const CatalogEntry& entry : catalog.entries()) {
    Json shadows = Json::array();
    for (const auto& shadowed : entry.shadows) shadows.push_back(shadowed.native());
    list["plugins"].push_back({{"name", entry.file.identity.name},
                               {"kind", kind_of(entry)},
                               {"version", entry.file.identity.version},
                               {"file", entry.file.path.native()},
                               {"state", name_of(entry.state)},
                               {"reason", entry.reason},
                               {"shadows", shadows},
                               {"differences", entry.differences}});
  }
  for (const SearchFolder& folder : catalog.search_path().folders()) {
    list["folders"].push_back(
        {{"path", folder.path.native()}, {"origin", folder.origin}, {"skipped", folder.skipped}});
  }
  std::printf("%s\n", list.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

int run(const Request& request) {
  const Configuration configuration = request.configuration.load();
  const PluginCatalog catalog(
      SearchPath(SearchPath::Sources::of_this_process(configuration.get(options::kPluginDirs))));
  request.json ? print_json(catalog) : print_text(catalog);
  return exit_code::kDone;
}

}  // namespace

void add_plugin_list(CLI::App& plugin, Command::Run& chosen) {
  CLI::App* command = plugin.add_subcommand(
      "list", "All plugins of the search path: those that count, are shadowed, or are refused.");
  auto request = std::make_shared<Request>();
  request->configuration.add_to(*command);
  command->add_flag("--json", request->json, "For programs");
  command->callback([request, &chosen] { chosen = [request] { return run(*request); }; });
}

}  // namespace freshet::tool
