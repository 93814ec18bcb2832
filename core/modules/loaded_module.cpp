#include "modules/loaded_module.h"

#include <link.h>

#include <algorithm>
#include <cstdio>

#include "freshet/error.h"

namespace freshet::core {
namespace {

std::string hexadecimal(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

LoadedModule::LoadedModule(Facts facts) : facts_(std::move(facts)), sha256_(facts_.sha256) {
  struct Search {
    std::uintptr_t wanted;
    std::uintptr_t base = 0;
    std::vector<Segment> segments;
  } search{address_of(facts_.anchor), 0, {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* data) {
        auto& found = *static_cast<Search*>(data);
        std::vector<Segment> segments;
        bool holds = false;
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = object->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          const std::uintptr_t begin = object->dlpi_addr + header.p_vaddr;
          segments.push_back({begin, begin + header.p_memsz, (header.p_flags & PF_X) != 0});
          holds = holds || (found.wanted >= begin && found.wanted < begin + header.p_memsz);
        }
        if (!holds) return 0;
        found.base = object->dlpi_addr;
        found.segments = std::move(segments);
        return 1;
      },
      &search);
  if (search.segments.empty())
    throw InvalidInput(facts_.path.native() + ": its list of operators at " +
                       hexadecimal(search.wanted) +
                       " lies in no loaded module: build it again with the SDK's macros");
  base_ = search.base;
  segments_ = std::move(search.segments);
}

const Sha256& LoadedModule::sha256() const {
  const std::lock_guard lock(mutex_);
  if (sha256_) return *sha256_;
  if (facts_.file && FileIdentity::of(facts_.path) != facts_.file)
    throw InvalidInput(facts_.path.native() +
                       ": was replaced or removed since it was loaded, so it can't be named by its "
                       "content: start again");
  sha256_ =
      Sha256::of_file(facts_.kind == ModuleKind::kExecutable ? "/proc/self/exe" : facts_.path);
  return *sha256_;
}

bool LoadedModule::is_hashed() const {
  const std::lock_guard lock(mutex_);
  return sha256_.has_value();
}

std::string LoadedModule::text() const {
  return facts_.path.filename().native() + " (" + sha256().short_hex() + ")";
}

bool LoadedModule::contains(const void* pointer) const { return contains(address_of(pointer)); }

bool LoadedModule::contains(std::uintptr_t address) const {
  return std::any_of(segments_.begin(), segments_.end(), [address](const Segment& segment) {
    return address >= segment.begin && address < segment.end;
  });
}

std::vector<const OperatorDescriptor*> LoadedModule::operators() const {
  std::vector<const OperatorDescriptor*> all;
  for (auto* at = facts_.anchor->operators; at != nullptr; at = at->next) all.push_back(at);
  return all;
}

const OperatorDescriptor* LoadedModule::listed_at(std::uintptr_t address) const {
  const std::lock_guard lock(mutex_);
  // The head tells whether more were registered since; only an executable that is still starting
  // ever does that.
  if (listed_head_ != facts_.anchor->operators) {
    for (const OperatorDescriptor* listed : operators())
      listed_.emplace(address_of(listed), listed);
    listed_head_ = facts_.anchor->operators;
  }
  const auto found = listed_.find(address);
  return found == listed_.end() ? nullptr : found->second;
}

const OperatorDescriptor* LoadedModule::descriptor_at(std::uint64_t offset) const {
  const OperatorDescriptor* descriptor = listed_at(base_ + offset);
  if (descriptor == nullptr)
    throw InvalidInput("module " + text() + " has " + std::to_string(operators().size()) +
                       " operators, none of them at offset " + hexadecimal(offset) +
                       ": the graph was made with another build of it, submit the job again");
  return descriptor;
}

std::uint64_t LoadedModule::offset_of(const OperatorDescriptor* descriptor) const {
  if (listed_at(address_of(descriptor)) == nullptr)
    throw InvalidInput("module " + text() + " has no operator at address " +
                       hexadecimal(address_of(descriptor)) + ", its base is " + hexadecimal(base_) +
                       ": ask the module that registered it");
  return address_of(descriptor) - base_;
}

bool LoadedModule::is_code(std::uintptr_t address) const {
  return std::any_of(segments_.begin(), segments_.end(), [address](const Segment& segment) {
    return segment.executable && address >= segment.begin && address < segment.end;
  });
}

const void* LoadedModule::code_at(std::uint64_t offset) const {
  const std::uintptr_t address = base_ + offset;
  if (!is_code(address))
    throw InvalidInput("module " + text() + " has no code at offset " + hexadecimal(offset) +
                       ": the graph was made with another build of it, submit the job again");
  // Counted from a pointer into the same module.
  return reinterpret_cast<const char*>(facts_.anchor) +
         static_cast<std::ptrdiff_t>(address - address_of(facts_.anchor));
}

std::uint64_t LoadedModule::offset_of_code(const void* pointer) const {
  if (!is_code(address_of(pointer)))
    throw InvalidInput("module " + text() + " has no code at address " +
                       hexadecimal(address_of(pointer)) + ", its base is " + hexadecimal(base_) +
                       ": a function travels with the module that defines it");
  return address_of(pointer) - base_;
}

}  // namespace freshet::core
