#include "plugin_catalog/plugin_catalog.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <sstream>

#include "freshet/target.h"
#include "modules/module_registry.h"
#include "shared_objects/shared_object.h"

namespace freshet::core {
namespace fs = std::filesystem;

namespace {

// The path of a file, fit for a terminal.
std::string shown(const fs::path& path) { return printable(path.native(), 4096); }

std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return printable(error.what(), 1024);
  } catch (...) {
    return "what is no std::exception";
  }
}

// Why a link leads where others may put another file; empty if it does not, or if it is none.
std::string astray(fs::path link) {
  constexpr int kMostLinks = 40;  // as in the kernel
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code none;
    const fs::path target = fs::read_symlink(link, none);
    if (none) break;
    link = link.parent_path() / target;
    const std::string reason = open_to_others(link.parent_path());
    if (!reason.empty()) return "is a link into " + shown(link.parent_path()) + ": " + reason;
  }
  return {};
}

}  // namespace

void LoadedPlugin::call_in_time(const std::string& call, std::function<void()> function) {
  const fs::path& file = entry_.file.path;
  {
    const std::lock_guard lock(stuck_mutex_);
    if (!stuck_.empty()) throw RefusedFile(file, stuck_);
  }
  if (ends_in_time(patience_, std::move(function))) return;
  std::ostringstream seconds;
  seconds << std::chrono::duration<double>(patience_).count();
  const std::lock_guard lock(stuck_mutex_);
  stuck_ = "its " + call + " has not returned within " + seconds.str() +
           " s, where it should take no time: remove the plugin or mend it";
  throw RefusedFile(file, stuck_);
}

std::shared_ptr<void> LoadedPlugin::make_factory() {
  const std::lock_guard lock(mutex_);
  if (factory_ != nullptr) return factory_;
  const fs::path& file = entry_.file.path;
  if (contract_.create == nullptr)
    throw RefusedFile(file, "is of kind '" + kind_name(contract_.kind) +
                                "', where an object was to be created, its create() is null: use "
                                "a plugin of a kind that makes one");
  struct Made {
    std::shared_ptr<void> factory;
    char error[1024] = "";
  };
  const auto made = std::make_shared<Made>();
  try {
    call_in_time("create()", [made, &contract = contract_] {
      void* const factory = contract.create(made->error, sizeof made->error);
      if (factory == nullptr) return;
      made->factory.reset(factory, [&contract](void* object) {
        try {
          if (contract.destroy != nullptr) contract.destroy(object);
        } catch (...) {
          spdlog::error("the destroy() of plugin '{}' let an exception out: {}", contract.name,
                        what_was_thrown());
        }
      });
    });
  } catch (const RefusedFile&) {
    throw;
  } catch (...) {
    throw RefusedFile(file, "its create() let an exception out, which the contract forbids: " +
                                what_was_thrown() +
                                ": return null and put the reason into its buffer, as the SDK's "
                                "macros do");
  }
  made->error[sizeof made->error - 1] = '\0';
  if (made->factory == nullptr)
    throw RefusedFile(file,
                      "its create() failed, it says: " +
                          (made->error[0] == '\0' ? "nothing" : printable(made->error, 1024)) +
                          ": see to what it asks for, or remove the plugin");
  factory_ = made->factory;
  return factory_;
}

CatalogEntry judged_plugin(const fs::path& file, JudgedFiles& files) {
  CatalogEntry entry = files.judged(file);
  if (entry.state != CatalogEntry::State::kUsable ||
      entry.file.identity.kind == FRESHET_KIND_APPLICATION)
    return entry;
  // Not remembered with what was judged: modes and links may change while the content does not.
  entry.reason = astray(file);
  struct stat facts {};
  if (entry.reason.empty() && ::stat(file.c_str(), &facts) == 0)
    entry.reason = open_to_others(facts, "a plugin");
  if (!entry.reason.empty()) entry.state = CatalogEntry::State::kRefused;
  return entry;
}

PluginCatalog::PluginCatalog(SearchPath path, std::chrono::nanoseconds patience, JudgedFiles& files)
    : path_(std::move(path)), patience_(patience) {
  for (const SearchFolder& folder : path_.folders())
    if (folder.skipped.empty()) scan(folder.path, files);
  judge_names();
}

void PluginCatalog::scan(const fs::path& folder, JudgedFiles& judged) {
  std::vector<fs::path> files;
  std::error_code unreadable;
  for (auto at = fs::directory_iterator(folder, unreadable); at != fs::directory_iterator();
       at.increment(unreadable))
    if (at->path().extension() == ".so") files.push_back(at->path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    CatalogEntry& entry = entries_.emplace_back(judged_plugin(file, judged));
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
    const std::string where = shown(winner->file.path);
    const std::string who = kind_name(identity.kind) + " '" + identity.name + "'";
    if (winner->file.identity.kind != identity.kind) {
      entry.state = CatalogEntry::State::kRefused;
      entry.reason = "is the " + who + ", but " + where + " is the " +
                     kind_name(winner->file.identity.kind) + " of that name: rename one of them";
    } else if (winner->file.path.parent_path() == entry.file.path.parent_path()) {
      entry.state = CatalogEntry::State::kRefused;
      entry.reason = "is the " + who + ", as is " + where +
                     " in the same folder: remove one of them, or rename one";
    } else {
      entry.state = CatalogEntry::State::kShadowed;
      entry.reason = "is shadowed by " + where +
                     ", which stands earlier in the search path: remove the one that is not wanted";
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
    const freshet_plugin_v1& contract = load_shared_object(entry.file, patience_);
    ModuleRegistry::instance().add_plugin(entry.file, contract);
    plugin = std::make_unique<LoadedPlugin>(entry, contract, patience_);
  }
  return *plugin;
}

std::string PluginCatalog::account_of(std::uint32_t kind) const {
  std::string text;
  const auto line = [&text](const std::string& what) { text += "\n  " + what; };
  for (const CatalogEntry* entry : usable(kind))
    line("found: '" + entry->file.identity.name + "' in " + shown(entry->file.path));
  if (usable(kind).empty()) line("found: no " + kind_name(kind) + " plugin");
  if (kind == FRESHET_KIND_EXECUTOR) {
    for (const CatalogEntry* entry : usable(FRESHET_KIND_DEPLOYER)) {
      const Target target{entry->file.identity.name};
      line("found: '" + target.text() + "' and '" + target.session().text() + "' in " +
           shown(entry->file.path));
    }
  }
  for (const CatalogEntry& entry : entries_)
    if (entry.state == CatalogEntry::State::kRefused)
      line("refused: " + shown(entry.file.path) + ": " + entry.reason);
  for (const SearchFolder& folder : path_.folders()) line("looked in: " + folder.text());
  return text;
}

}  // namespace freshet::core
