#include "translation/process_modules.h"

#include <memory>

#include "freshet/detail/mapped_memory.h"
#include "freshet/error.h"
#include "modules/module_registry.h"

namespace freshet::core {
namespace {

JobModule job_module(const LoadedModule& module) {
  return {module.sha256().hex(), module.path().filename().string(), module.kind()};
}

class RegisteredModules final : public ProcessModules {
 public:
  Place place_of(const OperatorDescriptor* descriptor, const ModuleAnchor* anchor) override {
    const LoadedModule* module = registry_.module_of(descriptor);
    if (module == nullptr && anchor != nullptr) module = &registry_.add_linked(*anchor);
    if (module == nullptr) {
      throw InvalidInput("operator type '" + std::string(descriptor->type_name) +
                         "' is in no module that Freshet has loaded: load its file as a plugin");
    }
    return {job_module(*module), module->offset_of(descriptor)};
  }

  std::optional<Place> place_of_code(const void* function) override {
    const LoadedModule* module = registry_.module_of(function);
    if (module == nullptr) return std::nullopt;
    try {
      return Place{job_module(*module), module->offset_of_code(function)};
    } catch (const InvalidInput&) {  // data of the module; the caller names the operator
      return std::nullopt;
    }
  }

  const OperatorDescriptor* find_operator(std::string_view registered_name) override {
    return registry_.find_operator(registered_name);
  }
  std::vector<std::string> operator_names() override { return registry_.operator_names(); }

  RangeOf mapped_memory() override {
    const auto memory =
        std::make_shared<const detail::MappedMemory>(detail::MappedMemory::snapshot());
    return [memory](std::uintptr_t address) -> std::string {
      const detail::MappedMemory::Range* range = memory->find(address);
      if (range == nullptr) return "";
      if (range->description == "[stack]") return "the stack";
      if (range->description == "[heap]") return "the heap";
      return range->description;
    };
  }

 private:
  ModuleRegistry& registry_ = ModuleRegistry::instance();
};

}  // namespace

ProcessModules::~ProcessModules() = default;

ProcessModules& ProcessModules::of_this_process() {
  static auto* const modules = new RegisteredModules();  // outlives every thread
  return *modules;
}

}  // namespace freshet::core
