// fr plugin inspect: who a shared object says it is, read from its bytes alone.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "exit_code/exit_code.h"
#include "plugin/plugin_command.h"
#include "plugin_catalog/plugin_catalog.h"
#include "security/sha256.h"
#include "shared_objects/build_tag.h"

namespace freshet::tool {
using namespace core;
namespace {

using Json = nlohmann::ordered_json;

bool is_usable(const CatalogEntry& entry) { return entry.state == CatalogEntry::State::kUsable; }

// Only of a file that is known to be a regular one: another might never end.
std::string hash_of(const CatalogEntry& entry) {
  return is_usable(entry) ? Sha256::of_file(entry.file.path).hex() : "";
}

void print_text(const CatalogEntry& entry) {
  const PluginIdentity& identity = entry.file.identity;
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) std::printf("%-10s %s\n", what, printable(value, 4096).c_str());
  };
  line("file", entry.file.path.native());
  line("state", is_usable(entry) ? "usable" : "refused");
  line("reason", entry.reason);
  line("kind", identity.kind == 0 ? "" : kind_name(identity.kind));
  line("name", identity.name);
  line("version", identity.version);
  line("sdk", identity.sdk_version);
  if (is_usable(entry)) line("size", std::to_string(entry.file.file.size) + " bytes");
  line("sha256", hash_of(entry));
  if (!identity.build_tag.empty()) {
    std::printf("build\n");
    const BuildTag tag(identity.build_tag);
    for (const auto& [field, value] : tag.fields()) {
      const std::string here(BuildTag::of_core().value(field));
      std::printf("    %-13s %s%s\n", printable(field).c_str(),
                  printable(value, value.size()).c_str(),
                  here == value ? "" : ("  (here " + (here.empty() ? "none" : here) + ")").c_str());
    }
  }
  if (!entry.file.needed_libraries.empty()) std::printf("needs\n");
  for (const std::string& library : entry.file.needed_libraries) {
    std::printf("    %s\n", printable(library).c_str());
  }
}

void print_json(const CatalogEntry& entry) {
  const PluginIdentity& identity = entry.file.identity;
  Json tag = Json::object();
  if (!identity.build_tag.empty()) {
    const BuildTag build(identity.build_tag);
    for (const auto& [field, value] : build.fields()) tag[field] = value;
  }
  const Json whole{{"file", entry.file.path.native()},
                   {"state", is_usable(entry) ? "usable" : "refused"},
                   {"reason", entry.reason},
                   {"kind", identity.kind == 0 ? "" : kind_name(identity.kind)},
                   {"kind_number", identity.kind},
                   {"name", identity.name},
                   {"version", identity.version},
                   {"sdk_version", identity.sdk_version},
                   {"size", entry.file.file.size},
                   {"sha256", hash_of(entry)},
                   {"build", tag},
                   {"differences", entry.differences},
                   {"needed_libraries", entry.file.needed_libraries}};
  std::printf("%s\n", whole.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace

void add_plugin_inspect(CLI::App& plugin, Command::Run& chosen) {
  CLI::App* command = plugin.add_subcommand(
      "inspect", "What a plugin or application says of itself, without running any of its code.");
  command->footer("Exit codes: 0 usable, 2 refused (the reason is shown), 64 bad usage.");
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("FILE", *file, "The shared object")->required();
  command->add_flag("--json", *json, "For programs");
  command->callback([file, json, &chosen] {
    chosen = [file, json] {
      const CatalogEntry entry = judged_plugin(*file);
      *json ? print_json(entry) : print_text(entry);
      return is_usable(entry) ? exit_code::kDone : exit_code::kRefusedInput;
    };
  });
}

}  // namespace freshet::tool
