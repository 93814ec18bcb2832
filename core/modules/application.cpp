#include "modules/application.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "modules/module_registry.h"
#include "shared_objects/judged_file.h"
#include "shared_objects/shared_object.h"

namespace freshet::core {

namespace {

std::string without(const std::string& part, std::string text) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
  return text;
}

// Their operators are there for whoever asks for them by name. Other files are for main to use.
// Errors name a file as it was shipped.
void load_shipped_plugins(const StoredApplication& stored) {
  for (std::size_t i = 1; i < stored.files.size(); ++i) {
    const StoredFile& file = stored.files[i];
    const std::uint32_t kind = judged_file(file.path).file.identity.kind;
    if (kind != FRESHET_KIND_OPERATORS && kind != FRESHET_KIND_CONNECTOR) continue;
    try {
      const PluginFile copy = read_compatible_file(file.path);
      ModuleRegistry::instance().add_shipped(file, copy, load_shared_object(copy));
    } catch (const RefusedFile& refused) {
      throw InvalidInput("the shipped file '" + file.name + "' " +
                         without(stored.folder.native() + "/", refused.reason()));
    }
  }
}

// Loads the main of what is stored; errors name the file as it was given.
LoadedApplication load(StoredApplication stored, const std::filesystem::path& main_file) {
  try {
    const PluginFile copy = read_compatible_file(stored.files[0].path);
    const freshet_plugin_v1& contract = load_shared_object(copy);
    if (contract.main == nullptr)
      throw RefusedFile(copy.path, "its entry has no main: build it with FRESHET_APPLICATION(...)");
    const LoadedModule& module =
        ModuleRegistry::instance().add_shipped(stored.files[0], copy, contract);
    load_shipped_plugins(stored);
    return {std::move(stored), module};
  } catch (const RefusedFile& refused) {
    throw RefusedFile(main_file, refused.reason());
  }
}

void check_is_application(const PluginFile& given) {
  if (given.identity.kind == FRESHET_KIND_APPLICATION) return;
  throw RefusedFile(given.path, "is a plugin (" + kind_name(given.identity.kind) + " '" +
                                    given.identity.name +
                                    "') and not an application: put it into a plugin folder, or "
                                    "build it with FRESHET_APPLICATION(...)");
}

std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return text;
}

LoadedApplication load_placed(const std::filesystem::path& folder, const std::string& main_name,
                              const std::vector<std::string>& shipped) {
  check_is_application(read_compatible_file(folder / main_name));
  StoredApplication placed;
  placed.folder = folder;
  std::vector<std::string> names{main_name};
  names.insert(names.end(), shipped.begin(), shipped.end());
  for (const std::string& name : names) {
    std::error_code ignored;
    const std::filesystem::path path = folder / name;
    placed.files.push_back(
        {name, Sha256::of_file(path), std::filesystem::file_size(path, ignored), path});
  }
  return load(std::move(placed), main_name);
}

}  // namespace

LoadedApplication load_application(const ModuleStore& store, const std::filesystem::path& main_file,
                                   const std::vector<std::filesystem::path>& shipped) {
  check_is_application(read_compatible_file(main_file));
  std::vector<std::filesystem::path> files{main_file};
  files.insert(files.end(), shipped.begin(), shipped.end());
  return load(store.store(files), main_file);
}

LoadedApplication load_placed_application(const std::filesystem::path& folder,
                                          const std::string& main_name,
                                          const std::vector<std::string>& shipped) {
  try {
    return load_placed(folder, main_name, shipped);
  } catch (const RefusedFile& refused) {
    throw InvalidInput("'" + on_one_line(main_name) + "' is no application that runs here: " +
                       without(folder.native() + "/", refused.reason()));
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

  const pid_t process = ::getpid();
  MainResult result;
  std::string error(std::size_t{64} * 1024, '\0');
  result.outcome = static_cast<freshet_main_outcome>(
      application.module.contract()->main(static_cast<int>(texts.size()), pointers.data(),
                                          &result.exit_code, error.data(), error.size()));
  if (::getpid() != process) {  // a child that main has forked: what follows is for the other one
    std::fflush(nullptr);
    ::_exit(result.outcome == FRESHET_MAIN_RETURNED ? result.exit_code : EXIT_FAILURE);
  }
  if (result.outcome != FRESHET_MAIN_RETURNED) result.error = error.substr(0, error.find('\0'));
  return result;
}

}  // namespace freshet::core
