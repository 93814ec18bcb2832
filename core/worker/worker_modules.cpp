#include "worker/worker_modules.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "freshet/error.h"
#include "freshet/options.h"
#include "modules/module_registry.h"
#include "plugin_catalog/plugin_catalog.h"
#include "shared_objects/shared_object.h"

namespace freshet::core {

namespace {

bool is_loaded(const JobModule& module) {
  const auto hash = Sha256::from_hex(module.sha256);
  if (!hash) throw InvalidInput("module '" + module.name + "' has no sha256: the plan is damaged");
  return ModuleRegistry::instance().find(*hash) != nullptr;
}

// A library without an entry comes along with the module that needs it.
void load_copy(const JobModule& module, const std::string& path) {
  const PluginFile file = read_compatible_file(path);
  if (file.identity.kind == FRESHET_KIND_NONE) return;
  StoredFile stored;
  stored.name = module.name;
  stored.path = path;
  stored.sha256 = Sha256::of_file(path);
  std::error_code ignored;
  stored.size = std::filesystem::file_size(path, ignored);
  if (stored.sha256.hex() != module.sha256) {
    throw InvalidInput("'" + path + "' has the sha256 " + stored.sha256.short_hex() +
                       ", and the job needs " + module.sha256.substr(0, 12) +
                       ": the copy is damaged, submit the job again");
  }
  const freshet_plugin_v1& contract = load_shared_object(file);
  ModuleRegistry::instance().add_shipped(stored, file, contract);
}

bool asks_for_unknown_operators(const JobGraph& graph) {
  const auto unknown = [](const OperatorReference& op) {
    return !op.registered_name.empty() &&
           !ModuleRegistry::instance().find_operator(op.registered_name);
  };
  return std::any_of(graph.vertices.begin(), graph.vertices.end(),
                     [&](const JobVertex& vertex) { return unknown(vertex.op); });
}

}  // namespace

void load_job_modules(const JobGraph& graph, const std::map<std::string, std::string>& copies,
                      const Configuration& configuration) {
  std::string refusals;
  for (const JobModule& module : graph.modules) {
    const auto copy = copies.find(module.sha256);
    if (copy == copies.end() || is_loaded(module)) continue;
    try {
      load_copy(module, copy->second);
    } catch (const RefusedFile& refused) {  // a library without a note has come with another
      refusals += std::string(refusals.empty() ? "" : "; ") + refused.what();
    }
  }
  const auto missing = [&]() -> const JobModule* {
    for (const JobModule& module : graph.modules) {
      if (!is_loaded(module)) return &module;
    }
    return nullptr;
  };
  if (missing() || asks_for_unknown_operators(graph)) {
    PluginCatalog catalog(
        SearchPath(SearchPath::Sources::of_this_process(configuration.get(options::kPluginDirs))));
    for (const std::uint32_t kind :
         {FRESHET_KIND_OPERATORS, FRESHET_KIND_CONNECTOR, FRESHET_KIND_FRONT_END}) {
      if (!missing() && !asks_for_unknown_operators(graph)) break;
      for (const CatalogEntry* entry : catalog.usable(kind)) {
        try {
          catalog.load(*entry);
        } catch (const RefusedFile& refused) {  // it may be one that the job does not need
          spdlog::warn("{} plugin '{}' is skipped: {}", kind_name(kind), entry->file.identity.name,
                       refused.what());
          refusals += std::string(refusals.empty() ? "" : "; ") + refused.what();
        }
      }
    }
  }
  const JobModule* module = missing();
  if (!module) return;
  throw InvalidInput(
      "job '" + graph.name + "' needs the module '" + module->name + "' (sha256 " +
      module->sha256.substr(0, 12) + "), which " +
      (module->kind == ModuleKind::kExecutable
           ? "is a program: only shared modules run on a cluster, build it with "
             "FRESHET_APPLICATION(...)"
       : module->kind == ModuleKind::kShipped
           ? "was not shipped to this worker"
           : "is not installed on this host in that build: install the same files on all "
             "hosts") +
      (refusals.empty() ? "" : " (" + refusals + ")"));
}

}  // namespace freshet::core
