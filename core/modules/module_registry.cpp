#include "modules/module_registry.h"

#include <dlfcn.h>
#include <spdlog/spdlog.h>
#include <sys/auxv.h>

#include <set>

#include "freshet/error.h"
#include "shared_objects/shared_object.h"

namespace freshet::core {
namespace {

const ModuleAnchor& anchor_of(const PluginFile& file, const freshet_plugin_v1& contract) {
  if (contract.operators == nullptr)
    throw RefusedFile(file.path,
                      "its entry has no list of operators: build it again with the SDK's macros");
  return *static_cast<const ModuleAnchor*>(contract.operators);
}

// Once for each name and file. Copies of one file are the same operator.
void tell_twice(const std::string& name, const LoadedModule& taken, const LoadedModule& other) {
  static std::mutex mutex;
  static std::set<std::pair<std::string, std::string>> told;
  {
    const std::lock_guard lock(mutex);
    if (!told.emplace(name, other.path().native()).second) return;
  }
  try {
    if (taken.sha256() == other.sha256()) return;
  } catch (const InvalidInput&) {
    // A file that is gone has no hash: its operators are there all the same.
  }
  spdlog::warn(
      "operator '{}' is registered by {} and by {}, the first is used: rename one of them, or "
      "remove the plugin that is not wanted",
      name, printable(taken.path().native(), 4096), printable(other.path().native(), 4096));
}

// The program's own headers are the ones that the kernel told it of.
bool is_the_program(const LoadedModule& module) {
  return module.contains(std::uintptr_t{::getauxval(AT_PHDR)});
}

}  // namespace

ModuleRegistry& ModuleRegistry::instance() {
  static auto* const registry = new ModuleRegistry();  // outlives every thread
  return *registry;
}

const LoadedModule& ModuleRegistry::add_plugin(const PluginFile& file,
                                               const freshet_plugin_v1& contract) {
  LoadedModule::Facts facts;
  facts.kind = ModuleKind::kInstalled;
  facts.path = file.path;
  facts.file = file.file;
  facts.identity = file.identity;
  facts.contract = &contract;
  facts.anchor = &anchor_of(file, contract);
  return add(std::move(facts));
}

const LoadedModule& ModuleRegistry::add_shipped(const StoredFile& stored, const PluginFile& file,
                                                const freshet_plugin_v1& contract) {
  LoadedModule::Facts facts;
  facts.kind = ModuleKind::kShipped;
  facts.path = stored.path;
  facts.sha256 = stored.sha256;
  facts.identity = file.identity;
  facts.contract = &contract;
  facts.anchor = &anchor_of(file, contract);
  const LoadedModule& module = add(std::move(facts));
  add_announced();
  return module;
}

void ModuleRegistry::add_announced() {
  for (auto* anchor = announced_modules(); anchor != nullptr; anchor = anchor->next) {
    Dl_info where{};
    if (::dladdr(anchor, &where) != 0 && where.dli_fname != nullptr &&
        is_being_loaded(where.dli_fname))
      continue;  // whoever loads it adds it
    static_cast<void>(add_linked(*anchor));
  }
}

const LoadedModule& ModuleRegistry::add_linked(const ModuleAnchor& anchor) {
  LoadedModule::Facts facts;
  facts.anchor = &anchor;
  Dl_info where{};
  if (::dladdr(&anchor, &where) != 0 && where.dli_fname != nullptr) {
    facts.path = std::filesystem::path(where.dli_fname).lexically_normal();
  }
  if (const LoadedModule* known = module_of(&anchor)) return *known;
  for (const LoadedModule* module : modules()) {
    if (module->kind() == ModuleKind::kShipped &&
        module->path().parent_path() == facts.path.parent_path()) {
      facts.kind = ModuleKind::kShipped;
    }
  }
  if (is_the_program(LoadedModule(facts))) {
    facts.kind = ModuleKind::kExecutable;
    std::error_code ignored;
    facts.path = std::filesystem::read_symlink("/proc/self/exe", ignored);
  }
  return add(std::move(facts));
}

const LoadedModule& ModuleRegistry::add(LoadedModule::Facts facts) {
  auto module = std::make_unique<LoadedModule>(std::move(facts));
  const std::lock_guard lock(mutex_);
  for (const auto& known : modules_)
    if (known->base() == module->base()) return *known;
  modules_.push_back(std::move(module));
  return *modules_.back();
}

const LoadedModule* ModuleRegistry::find(const Sha256& sha256) {
  if (const LoadedModule* known = find_known(sha256)) return known;
  add_announced();  // loaded by other hands than ours
  return find_known(sha256);
}

const LoadedModule* ModuleRegistry::find_known(const Sha256& sha256) const {
  const auto all = modules();
  for (const LoadedModule* module : all)
    if (module->is_hashed() && module->sha256() == sha256) return module;
  for (const LoadedModule* module : all) {
    try {
      if (module->sha256() == sha256) return module;
    } catch (const InvalidInput&) {
      continue;  // its file is gone or another one, so it has no name that anybody could ask for
    }
  }
  return nullptr;
}

const LoadedModule* ModuleRegistry::module_of(const void* address) const {
  for (const LoadedModule* module : modules())
    if (module->contains(address)) return module;
  return nullptr;
}

const OperatorDescriptor* ModuleRegistry::find_operator(std::string_view registered_name) {
  const auto find = [&]() -> const OperatorDescriptor* {
    const LoadedModule* of_first = nullptr;
    const OperatorDescriptor* first = nullptr;
    for (const LoadedModule* module : modules()) {
      for (const OperatorDescriptor* descriptor : module->operators()) {
        if (!descriptor->registered_name || registered_name != descriptor->registered_name)
          continue;
        if (first == nullptr) {
          first = descriptor;
          of_first = module;
        } else if (module != of_first) {
          tell_twice(std::string(registered_name), *of_first, *module);
        }
      }
    }
    return first;
  };
  if (const OperatorDescriptor* found = find()) return found;
  add_announced();
  return find();
}

std::vector<std::string> ModuleRegistry::operator_names() const {
  std::set<std::string> names;
  for (const LoadedModule* module : modules()) {
    for (const OperatorDescriptor* descriptor : module->operators()) {
      if (descriptor->registered_name) names.insert(descriptor->registered_name);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<const LoadedModule*> ModuleRegistry::modules() const {
  const std::lock_guard lock(mutex_);
  std::vector<const LoadedModule*> all;
  for (const auto& module : modules_) all.push_back(module.get());
  return all;
}

}  // namespace freshet::core
