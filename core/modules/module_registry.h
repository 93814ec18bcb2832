// The modules of this process that have operators or functions which may stand in a JobGraph.
//
// Threads    Any.
// Begin      module_store.h copies an application's files,
//            application.h loads them,
//            loaded_module.h is one module.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "modules/loaded_module.h"
#include "modules/module_store.h"

namespace freshet::core {

class FRESHET_API ModuleRegistry {
 public:
  static ModuleRegistry& instance();

  // Each returns the module that is there already if it was added before.
  const LoadedModule& add_plugin(const PluginFile& file, const freshet_plugin_v1& contract);
  // Also adds the libraries that came along and have operators: those beside it are shipped, others
  // installed.
  const LoadedModule& add_shipped(const StoredFile& stored, const PluginFile& file,
                                  const freshet_plugin_v1& contract);
  // Modules without an entry: the program itself (kExecutable), a library that it links such as the
  // SDK's (kInstalled). The anchor tells which.
  const LoadedModule& add_linked(const ModuleAnchor& anchor);

  // nullptr if there is none, also among those that somebody else has loaded. Modules whose hash is
  // not known yet are hashed only if none of those whose hash is known is it.
  const LoadedModule* find(const Sha256& sha256);
  // The module in which the address lies, nullptr if it lies in none of them.
  const LoadedModule* module_of(const void* address) const;
  std::vector<const LoadedModule*> modules() const;
  // The operator that a module has registered under that name, also one that the program itself
  // has; nullptr if there is none.
  const OperatorDescriptor* find_operator(std::string_view registered_name);
  // Of all operators that are registered by a name, in alphabetical order.
  std::vector<std::string> operator_names() const;

 private:
  ModuleRegistry() = default;
  const LoadedModule& add(LoadedModule::Facts facts);
  void add_announced();
  const LoadedModule* find_known(const Sha256& sha256) const;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<LoadedModule>> modules_;
};

}  // namespace freshet::core
