// What plugins there are: found in the folders of a SearchPath, judged by their notes, loaded when
// first needed and never unloaded.
//
//   PluginCatalog catalog(SearchPath(SearchPath::Sources::of_this_process(dirs)));
//   for (const CatalogEntry& entry : catalog.entries()) ...
//
// Threads    Any; the constructor scans, after it the entries never change.
// Ownership  The catalog owns the factories; the plugins' code stays until the process ends.
// Begin      elf_file.h reads a file, plugin_file.h who it is, build_tag.h whether it fits,
//            search_path.h where to look, shared_object.h loads, executor_selection.h chooses.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "plugin_catalog/plugin_file.h"
#include "plugin_catalog/search_path.h"

namespace freshet {

struct CatalogEntry {
  enum class State {
    kUsable,
    kShadowed,  // a usable one of the same name stands earlier in the search path
    kRefused,
  };

  // Of a refused one only the path is certain; its identity is there as far as it could be read
  // (kind is FRESHET_KIND_NONE if nothing could).
  PluginFile file;
  State state = State::kUsable;
  std::string reason;                          // shadowed by which file, or why it is refused
  std::vector<std::filesystem::path> shadows;  // what this one hides
  std::vector<std::string> differences;        // of its build, shown and not judged
};

// One file, judged as the catalog would, without any folder: usable or refused, never shadowed. An
// application is usable here. Runs none of its code; throws nothing that the file is the cause of.
FRESHET_API CatalogEntry judged_file(const std::filesystem::path& file);

// A plugin in this process.
class FRESHET_API LoadedPlugin {
 public:
  LoadedPlugin(const CatalogEntry& entry, const freshet_plugin_v1& contract)
      : entry_(entry), contract_(contract) {}
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;
  ~LoadedPlugin();

  const CatalogEntry& entry() const { return entry_; }
  const freshet_plugin_v1& contract() const { return contract_; }
  // The plugin's factory, made once and handed back when the catalog ends; T is the interface of
  // the plugin's kind. Throws RefusedFile with the plugin's own words if it can't be made.
  template <class T>
  T& factory() {
    return *static_cast<T*>(make_factory());
  }

 private:
  void* make_factory();

  const CatalogEntry& entry_;
  const freshet_plugin_v1& contract_;
  std::mutex mutex_;
  void* factory_ = nullptr;
};

class FRESHET_API PluginCatalog {
 public:
  explicit PluginCatalog(SearchPath path);
  PluginCatalog(const PluginCatalog&) = delete;
  PluginCatalog& operator=(const PluginCatalog&) = delete;

  const SearchPath& search_path() const { return path_; }
  // In the order of the search path, within a folder by file name.
  const std::vector<CatalogEntry>& entries() const { return entries_; }
  std::vector<const CatalogEntry*> usable(std::uint32_t kind) const;
  // nullptr if no usable one has that name.
  const CatalogEntry* find(std::uint32_t kind, const std::string& name) const;

  // `entry` is one of entries(), and usable. Throws RefusedFile.
  LoadedPlugin& load(const CatalogEntry& entry);

  // For errors: a line each for the plugins of a kind, the refused files, the folders.
  std::string account_of(std::uint32_t kind) const;

 private:
  void scan(const std::filesystem::path& folder);
  void judge_names();

  SearchPath path_;
  std::vector<CatalogEntry> entries_;
  std::mutex mutex_;
  std::map<const CatalogEntry*, std::unique_ptr<LoadedPlugin>> loaded_;
};

}  // namespace freshet
