#include "plugin_catalog/plugin_catalog.h"

#include <algorithm>
#include <cassert>

#include "modules/module_registry.h"
#include "plugin_catalog/build_tag.h"
#include "plugin_catalog/shared_object.h"

namespace freshet {
namespace fs = std::filesystem;

CatalogEntry judged_file(const fs::path& file) {
  CatalogEntry entry;
  entry.file.path = file;
  entry.reason = read_what_can_be_read(entry.file);
  if (!entry.file.identity.build_tag.empty()) {
    const BuildTag tag(entry.file.identity.build_tag);
    entry.differences = tag.shown_differences(BuildTag::of_core());
    if (entry.reason.empty())
      entry.reason = tag.refusal(BuildTag::of_core(), host_has_instructions);
  }
  if (!entry.reason.empty()) entry.state = CatalogEntry::State::kRefused;
  return entry;
}

LoadedPlugin::~LoadedPlugin() {
  if (factory_ != nullptr && contract_.destroy != nullptr) contract_.destroy(factory_);
}

void* LoadedPlugin::make_factory() {
  const std::lock_guard lock(mutex_);
  if (factory_ != nullptr) return factory_;
  const fs::path& file = entry_.file.path;
  if (contract_.create == nullptr)
    throw RefusedFile(file, "a plugin of kind " + kind_name(contract_.kind) +
                                " has nothing to create: it is of the wrong kind for this use");
  char error[1024] = "";
  factory_ = contract_.create(error, sizeof error);
  error[sizeof error - 1] = '\0';
  if (factory_ == nullptr)
    throw RefusedFile(file, "its create() failed, it says: " +
                                (error[0] == '\0' ? "nothing" : printable(error, sizeof error)) +
                                ": see to what it asks for, or remove the plugin");
  return factory_;
}

PluginCatalog::PluginCatalog(SearchPath path) : path_(std::move(path)) {
  for (const SearchFolder& folder : path_.folders())
    if (folder.skipped.empty()) scan(folder.path);
  judge_names();
}

void PluginCatalog::scan(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code unreadable;
  for (auto at = fs::directory_iterator(folder, unreadable); at != fs::directory_iterator();
       at.increment(unreadable))
    if (at->path().extension() == ".so") files.push_back(at->path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    CatalogEntry& entry = entries_.emplace_back(judged_file(file));
    if (entry.state != CatalogEntry::State::kUsable ||
        entry.file.identity.kind != FRESHET_KIND_APPLICATION)
      continue;
    entry.state = CatalogEntry::State::kRefused;
    entry.reason =
        "is an application and not a plugin: start it with fr-run, and move it out of the plugin "
        "folder";
  }
}

// The first of a name wins; names are unique across kinds, so that one can be asked for by name.
void PluginCatalog::judge_names() {
  std::map<std::string, CatalogEntry*> first;
  for (CatalogEntry& entry : entries_) {
    if (entry.state != CatalogEntry::State::kUsable) continue;
    const PluginIdentity& identity = entry.file.identity;
    CatalogEntry*& winner = first[identity.name];
    if (winner == nullptr) {
      winner = &entry;
      continue;
    }
    const std::string where = winner->file.path.native();
    if (winner->file.identity.kind != identity.kind) {
      entry.state = CatalogEntry::State::kRefused;
      entry.reason = "is the " + kind_name(identity.kind) + " '" + identity.name + "', but " +
                     where + " is the " + kind_name(winner->file.identity.kind) +
                     " of that name: rename one of them";
    } else {
      entry.state = CatalogEntry::State::kShadowed;
      entry.reason = "is shadowed by " + where + ", which stands earlier in the search path";
      winner->shadows.push_back(entry.file.path);
    }
  }
}

std::vector<const CatalogEntry*> PluginCatalog::usable(std::uint32_t kind) const {
  std::vector<const CatalogEntry*> found;
  for (const CatalogEntry& entry : entries_)
    if (entry.state == CatalogEntry::State::kUsable && entry.file.identity.kind == kind)
      found.push_back(&entry);
  return found;
}

const CatalogEntry* PluginCatalog::find(std::uint32_t kind, const std::string& name) const {
  for (const CatalogEntry* entry : usable(kind))
    if (entry->file.identity.name == name) return entry;
  return nullptr;
}

LoadedPlugin& PluginCatalog::load(const CatalogEntry& entry) {
  assert(entry.state == CatalogEntry::State::kUsable);
  const std::lock_guard lock(mutex_);
  std::unique_ptr<LoadedPlugin>& plugin = loaded_[&entry];
  if (plugin == nullptr) {
    const freshet_plugin_v1& contract = load_shared_object(entry.file);
    ModuleRegistry::instance().add_plugin(entry.file, contract);
    plugin = std::make_unique<LoadedPlugin>(entry, contract);
  }
  return *plugin;
}

std::string PluginCatalog::account_of(std::uint32_t kind) const {
  std::string text;
  const auto line = [&text](const std::string& what) { text += "\n  " + what; };
  for (const CatalogEntry* entry : usable(kind))
    line("found: '" + entry->file.identity.name + "' in " + entry->file.path.native());
  if (usable(kind).empty()) line("found: no " + kind_name(kind) + " plugin");
  for (const CatalogEntry& entry : entries_)
    if (entry.state == CatalogEntry::State::kRefused)
      line("refused: " + entry.file.path.native() + ": " + entry.reason);
  for (const SearchFolder& folder : path_.folders()) line("looked in: " + folder.text());
  return text;
}

}  // namespace freshet
