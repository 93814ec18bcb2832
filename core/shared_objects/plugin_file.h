// Who a shared object is, read from its ELF note and tables: none of its code runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "freshet/plugin.h"
#include "shared_objects/elf_file.h"
#include "shared_objects/plugin_kind.h"

namespace freshet::core {

struct PluginIdentity {
  std::uint32_t kind = FRESHET_KIND_NONE;  // enum freshet_plugin_kind
  std::string name;  // of an application without one: its file's name without ".so"
  std::string version, sdk_version, build_tag;
  // What its virtual functions are judged by: docs/maintainers/abi.md.
  std::uint32_t abi_version = 0;

  bool operator==(const PluginIdentity&) const = default;
};

struct PluginFile {
  std::filesystem::path path;
  FileIdentity file{};
  PluginIdentity identity;
  std::vector<std::string> needed_libraries;
  RunPath run_path;
};

// The contract alone is judged here (magic, ABI version, kind, names, the entry's place and its
// first bytes); the build tag is judged by BuildTag. Throws RefusedFile.
FRESHET_API PluginFile read_plugin_file(const std::filesystem::path& path);
// The same of file.path, but fills in what could be read before it was refused, and returns the
// reason of the refusal, empty if there is none.
FRESHET_API std::string read_what_can_be_read(PluginFile& file);

// Why a file must not be loaded that holds what may be in a process once only, such as a static
// Boost.Fiber; empty if it does not.
std::string own_copy_in(const ElfFile& file);

}  // namespace freshet::core
