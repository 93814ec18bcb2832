#include "modules/application.h"

#include "modules/module_registry.h"
#include "plugin_catalog/shared_object.h"

namespace freshet {

LoadedApplication load_application(const ModuleStore& store, const std::filesystem::path& main_file,
                                   const std::vector<std::filesystem::path>& shipped) {
  const PluginFile given = read_compatible_file(main_file);
  if (given.identity.kind != FRESHET_KIND_APPLICATION)
    throw RefusedFile(main_file, "is a plugin (" + kind_name(given.identity.kind) + " '" +
                                     given.identity.name +
                                     "') and not an application: put it into a plugin folder, or "
                                     "build it with FRESHET_APPLICATION(...)");
  std::vector<std::filesystem::path> files{main_file};
  files.insert(files.end(), shipped.begin(), shipped.end());
  StoredApplication stored = store.store(files);
  try {
    const PluginFile copy = read_compatible_file(stored.files[0].path);
    const freshet_plugin_v1& contract = load_shared_object(copy);
    if (contract.main == nullptr)
      throw RefusedFile(copy.path, "its entry has no main: build it with FRESHET_APPLICATION(...)");
    const LoadedModule& module =
        ModuleRegistry::instance().add_shipped(stored.files[0], copy, contract);
    return {std::move(stored), module};
  } catch (const RefusedFile& refused) {
    throw RefusedFile(main_file, refused.reason());
  }
}

MainResult run_main(const LoadedApplication& application, const std::string& program,
                    const std::vector<std::string>& arguments) {
  std::vector<std::string> texts{program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  MainResult result;
  std::string error(std::size_t{64} * 1024, '\0');
  result.outcome = static_cast<freshet_main_outcome>(
      application.module.contract()->main(static_cast<int>(texts.size()), pointers.data(),
                                          &result.exit_code, error.data(), error.size()));
  if (result.outcome != FRESHET_MAIN_RETURNED) result.error = error.substr(0, error.find('\0'));
  return result;
}

}  // namespace freshet
