// What plugins there are: found in the folders of a SearchPath, judged by their notes, loaded when
// first needed and never unloaded.
//
//   PluginCatalog catalog(SearchPath(SearchPath::Sources::of_this_process(dirs)));
//   for (const CatalogEntry& entry : catalog.entries()) ...
//
// Threads    Any; the constructor scans, after it the entries never change.
// Ownership  The catalog owns the factories; the plugins' code stays until the process ends.
// Begin      PluginCatalog. shared_objects/ reads, judges and loads one file, selection/ chooses.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "shared_objects/judged_file.h"
#include "shared_objects/plugin_call.h"
#include "shared_objects/search_path.h"

namespace freshet::core {

// A plugin in this process.
//
// Its code is called on threads of their own, and given up after the catalog's patience: from then
// on the plugin is refused, and the thread that is stuck in it is left behind, with the factory.
class FRESHET_API LoadedPlugin {
 public:
  LoadedPlugin(const CatalogEntry& entry, const freshet_plugin_v1& contract,
               std::chrono::nanoseconds patience)
      : entry_(entry), contract_(contract), patience_(patience) {}
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  const CatalogEntry& entry() const { return entry_; }
  const freshet_plugin_v1& contract() const { return contract_; }
  // The plugin's factory, made once and handed back when the catalog ends; T is the interface of
  // the plugin's kind. Throws RefusedFile with the plugin's own words if it can't be made.
  template <class T>
  T& factory() {
    return *static_cast<T*>(make_factory().get());
  }
  // What `question` says, given the factory. It may go on when the answer is no longer waited for,
  // so it holds what it uses by value. Throws what it throws, and RefusedFile if it takes too long;
  // `call` names it, as in "is_compatible_with()".
  template <class T, class Answer>
  Answer ask(const std::string& call, std::function<Answer(T&)> question) {
    const auto answer = std::make_shared<Answer>();
    call_in_time(call, [factory = make_factory(), answer, question = std::move(question)] {
      *answer = question(*static_cast<T*>(factory.get()));
    });
    return std::move(*answer);
  }

 private:
  std::shared_ptr<void> make_factory();
  void call_in_time(const std::string& call, std::function<void()> function);

  const CatalogEntry& entry_;
  const freshet_plugin_v1& contract_;
  const std::chrono::nanoseconds patience_;
  std::mutex mutex_;  // of factory_
  std::shared_ptr<void> factory_;
  std::mutex stuck_mutex_;
  std::string stuck_;  // why it is refused from now on
};

// As the catalog judges what stands in one of its folders: judged_file(), and whether others may
// write to the file, own it, or put another in its place by a link. An application is not judged by
// that: it is copied before it is loaded.
FRESHET_API CatalogEntry judged_plugin(const std::filesystem::path& file,
                                       JudgedFiles& files = JudgedFiles::of_this_process());

class FRESHET_API PluginCatalog {
 public:
  // A call into a plugin's code is given up after `patience`.
  explicit PluginCatalog(SearchPath path, std::chrono::nanoseconds patience = kPluginPatience,
                         JudgedFiles& files = JudgedFiles::of_this_process());
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
  // For an executor also deployers, which stand for targets, too.
  std::string account_of(std::uint32_t kind) const;

 private:
  void scan(const std::filesystem::path& folder, JudgedFiles& files);
  void judge_names();

  SearchPath path_;
  std::chrono::nanoseconds patience_;
  std::vector<CatalogEntry> entries_;
  std::mutex mutex_;
  std::map<const CatalogEntry*, std::unique_ptr<LoadedPlugin>> loaded_;
};

}  // namespace freshet::core
