// A module in this process: where it lies, what it is, and its operators and functions by offset.
//
// An offset is counted from the module's base and is the same in every process that has loaded the
// same file. Offsets come from a JobGraph, so each is checked before it becomes a pointer.
//
// Threads    Any.
// Ownership  The ModuleRegistry's; lives until the process ends, as the code does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/module.h"
#include "security/sha256.h"
#include "shared_objects/plugin_file.h"

namespace freshet::core {

class FRESHET_API LoadedModule {
 public:
  struct Facts {
    ModuleKind kind = ModuleKind::kInstalled;
    std::filesystem::path path;
    std::optional<Sha256> sha256;                 // hashed when first asked for, if unknown
    std::optional<FileIdentity> file;             // of the file as it was loaded, if known
    PluginIdentity identity;                      // kind 0 if it has no entry
    const freshet_plugin_v1* contract = nullptr;  // nullptr if it has no entry
    const ModuleAnchor* anchor = nullptr;
  };

  // The anchor tells which of the loaded objects it is. Throws InvalidInput if it lies in none.
  explicit LoadedModule(Facts facts);
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  ModuleKind kind() const { return facts_.kind; }
  const std::filesystem::path& path() const { return facts_.path; }
  const PluginIdentity& identity() const { return facts_.identity; }
  const freshet_plugin_v1* contract() const { return facts_.contract; }
  std::uintptr_t base() const { return base_; }
  // Of the file as it was loaded. Throws InvalidInput if it has to be read now and
  // can't be, or was replaced since it was loaded.
  const Sha256& sha256() const;
  bool is_hashed() const;
  // "word_count.so (1f0c9a1be3d2)"
  std::string text() const;

  bool contains(const void* address) const;
  bool contains(std::uintptr_t address) const;
  std::vector<const OperatorDescriptor*> operators() const;

  // These throw InvalidInput naming module and offset or address.
  const OperatorDescriptor* descriptor_at(std::uint64_t offset) const;
  std::uint64_t offset_of(const OperatorDescriptor* descriptor) const;
  const void* code_at(std::uint64_t offset) const;
  std::uint64_t offset_of_code(const void* address) const;

 private:
  struct Segment {
    std::uintptr_t begin, end;
    bool executable;
  };

  // nullptr if none of its operators is there.
  const OperatorDescriptor* listed_at(std::uintptr_t address) const;
  bool is_code(std::uintptr_t address) const;

  Facts facts_;
  std::uintptr_t base_ = 0;
  std::vector<Segment> segments_;

  mutable std::mutex mutex_;
  mutable std::optional<Sha256> sha256_;
  mutable const OperatorDescriptor* listed_head_ = nullptr;
  mutable std::unordered_map<std::uintptr_t, const OperatorDescriptor*> listed_;
};

}  // namespace freshet::core
