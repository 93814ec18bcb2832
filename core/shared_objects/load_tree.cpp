#include "shared_objects/load_tree.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>

#include "shared_objects/search_path.h"

namespace freshet::core {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFolder = "freshet-loading-";

// The loader's own rule: one that is loaded under this name is not looked for.
bool is_loaded(const std::string& name) {
  void* const library = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (library != nullptr) ::dlclose(library);
  return library != nullptr;
}

// What follows $ORIGIN in an entry of a run path; nothing if it does not begin with it.
std::optional<std::string> behind_origin(const std::string& entry) {
  for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"})
    if (entry.compare(0, origin.size(), origin) == 0) return entry.substr(origin.size());
  return std::nullopt;
}

void show_as(const std::string& loaded_as, const fs::path& file) {
  void* const library = ::dlopen(loaded_as.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  link_map* module = nullptr;
  if (library == nullptr || ::dlinfo(library, RTLD_DI_LINKMAP, static_cast<void*>(&module)) != 0 ||
      !LoadTree::is_name_in_one(module->l_name))
    return;
  static auto* const mutex = new std::mutex();
  static auto* const replaced = new std::deque<char*>();  // the loader may hold on to them
  const std::lock_guard lock(*mutex);
  replaced->push_back(module->l_name);
  module->l_name = ::strdup(file.c_str());
}

}  // namespace

LoadTree::LoadTree(const PluginFile& file, const PinnedFile& pinned) {
  members_.push_back({file.path, pinned.path(), nullptr});
  try {
    const fs::path folder = fs::absolute(file.path).parent_path();
    // ".." of a linked folder is beside what the link leads to.
    const Folder origin{folder, fs::canonical(folder).relative_path()};
    add(file.needed_libraries, file.run_path, origin, {});
    if (members_.size() == 1) return;
    members_.front().loaded_as = origin.in_tree / file.path.filename();
    make_folder();
    for (Member& member : members_) {
      const fs::path at = root_ / member.loaded_as;
      fs::create_directories(at.parent_path());
      fs::create_symlink(member.pinned == nullptr ? pinned.path() : member.pinned->path(), at);
      member.loaded_as = at.native();
    }
  } catch (const fs::filesystem_error& error) {
    throw RefusedFile(file.path, std::string("a folder for loading it with the libraries beside it "
                                             "can't be made: ") +
                                     error.code().message() +
                                     ": let TMPDIR be a folder with space");
  }
}

LoadTree::~LoadTree() {
  std::error_code ignored;
  if (!root_.empty()) fs::remove_all(root_, ignored);
}

void LoadTree::make_folder() {
  std::string pattern = fs::temp_directory_path() / (std::string(kFolder) + "XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr)
    throw fs::filesystem_error("mkdtemp", {errno, std::generic_category()});
  root_ = pattern;
}

void LoadTree::add(const std::vector<std::string>& needed, const RunPath& run_path,
                   const Folder& origin, std::vector<Folder> inherited) {
  std::vector<Folder> folders;
  for (const std::string& entry : run_path.folders) {
    const std::optional<std::string> behind = behind_origin(entry);
    if (behind)
      folders.push_back({origin.on_disk.native() + *behind,
                         fs::path(origin.in_tree.native() + *behind).lexically_normal()});
    else
      folders.push_back({entry, {}});
  }
  if (run_path.is_inherited) {
    inherited.insert(inherited.begin(), folders.begin(), folders.end());
    folders = inherited;
  }
  for (const std::string& name : needed) {
    if (name.find('/') != std::string::npos || is_loaded(name)) continue;
    for (const Folder& folder : folders) {
      std::error_code ignored;
      if (!fs::exists(folder.on_disk / name, ignored)) continue;
      if (!folder.in_tree.empty()) add(folder.on_disk / name, folder.in_tree / name, inherited);
      break;
    }
  }
}

void LoadTree::add(const fs::path& file, const fs::path& in_tree,
                   const std::vector<Folder>& inherited) {
  if (std::any_of(members_.begin(), members_.end(),
                  [&](const Member& member) { return member.loaded_as == in_tree; }))
    return;
  const auto refuse = [&](const std::string& reason) {
    throw RefusedFile(members_.front().file,
                      "needs the library " + printable(file.native(), 4096) + ", which " + reason);
  };
  try {
    const ElfFile elf(file);
    members_.push_back({file, in_tree.native(), std::make_unique<PinnedFile>(file)});
    if (FileIdentity::of(members_.back().pinned->path()) != elf.identity())
      refuse("was replaced while it was being read: try again when it is complete");
    struct stat facts {};
    if (::stat(members_.back().pinned->path().c_str(), &facts) == 0) {
      const std::string open = open_to_others(facts, "a library of a plugin");
      if (!open.empty()) refuse("is not safe: " + open);
    }
    if (const std::string copy = own_copy_in(elf); !copy.empty()) refuse(copy);
    add(elf.needed_libraries(), elf.run_path(), {file.parent_path(), in_tree.parent_path()},
        inherited);
  } catch (const RefusedFile& refused) {
    if (refused.file() == members_.front().file) throw;
    refuse(refused.reason());
  }
}

std::string LoadTree::in_own_names(std::string words) const {
  for (const Member& member : members_) {
    const std::size_t at = words.find(member.loaded_as);
    if (at != std::string::npos) words.replace(at, member.loaded_as.size(), member.file.native());
  }
  if (!root_.empty())
    for (std::size_t at; (at = words.find(root_.native())) != std::string::npos;)
      words.erase(at, root_.native().size());
  return words;
}

void LoadTree::show_own_names() const {
  for (const Member& member : members_) show_as(member.loaded_as, member.file);
}

bool LoadTree::is_name_in_one(std::string_view name) {
  return PinnedFile::is_path_of_one(name) ||
         name.find("/" + std::string(kFolder)) != std::string_view::npos;
}

}  // namespace freshet::core
