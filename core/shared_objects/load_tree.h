// A shared object with the libraries that it finds relative to itself ($ORIGIN in run paths): each
// is judged and pinned, and all are given to the loader at once, in a folder of their own in which
// they stand to each other as they do on the disk. What is put in their places meanwhile is not
// loaded, and no constructor runs before every library and symbol is found.
//
// Libraries that are loaded already are taken from the process, as the loader does by their names.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared_objects/pinned_file.h"
#include "shared_objects/plugin_file.h"

namespace freshet::core {

class FRESHET_API LoadTree {
 public:
  // Throws RefusedFile: a library beside it is refused, or the folder can't be made. `pinned` is
  // that file and outlives the tree.
  LoadTree(const PluginFile& file, const PinnedFile& pinned);
  ~LoadTree();  // the folder is gone
  LoadTree(const LoadTree&) = delete;
  LoadTree& operator=(const LoadTree&) = delete;

  // What the loader is given.
  const std::string& path() const { return members_.front().loaded_as; }
  // What the loader says, with the files' own names.
  std::string in_own_names(std::string words) const;
  // dladdr(), debuggers and sanitizers show a library by the name that the loader keeps: once it is
  // loaded, that is its own.
  void show_own_names() const;
  // Whether a loaded module's name (dladdr) is one that it has before that.
  static bool is_name_in_one(std::string_view name);

 private:
  struct Member {
    std::filesystem::path file;
    std::string loaded_as;
    std::unique_ptr<PinnedFile> pinned;  // null: the file that the tree is made for
  };
  // Where it is looked for, and where that is in the tree; empty: no place relative to a file.
  struct Folder {
    std::filesystem::path on_disk, in_tree;
  };

  void add(const std::vector<std::string>& needed, const RunPath& run_path, const Folder& origin,
           std::vector<Folder> inherited);
  void add(const std::filesystem::path& file, const std::filesystem::path& in_tree,
           const std::vector<Folder>& inherited);
  void make_folder();

  std::filesystem::path root_;
  std::vector<Member> members_;
};

}  // namespace freshet::core
