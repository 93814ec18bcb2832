#include "symbolizer/symbols.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdlib>

namespace freshet::tool {
namespace {

char* debug_path = nullptr;  // as usual: beside the module, and below /usr/lib/debug

const Dwfl_Callbacks kCallbacks{dwfl_build_id_find_elf, dwfl_standard_find_debuginfo,
                                dwfl_offline_section_address, &debug_path};

std::string demangled(const char* name) {
  if (name == nullptr) return {};
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
}

std::string function_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&die, DW_AT_linkage_name, &attribute) != nullptr)
    return demangled(dwarf_formstring(&attribute));
  const char* const name = dwarf_diename(&die);
  return name != nullptr ? name : "";
}

// Where an inlined function is called.
void note_call(Dwarf_Die& unit, Dwarf_Die& inlined, Place& caller) {
  Dwarf_Attribute attribute;
  Dwarf_Word number = 0;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (dwarf_formudata(dwarf_attr(&inlined, DW_AT_call_file, &attribute), &number) == 0 &&
      dwarf_getsrcfiles(&unit, &files, &count) == 0 && number < count) {
    const char* const file = dwarf_filesrc(files, number, nullptr, nullptr);
    if (file != nullptr) caller.file = file;
  }
  if (dwarf_formudata(dwarf_attr(&inlined, DW_AT_call_line, &attribute), &number) == 0)
    caller.line = static_cast<int>(number);
}

// By debug information; empty if there is none.
std::vector<Place> places_in(Dwfl_Module* module, Dwarf_Addr address) {
  std::vector<Place> places;
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = dwfl_module_addrdie(module, address, &bias);
  if (unit == nullptr) return places;
  Place place;
  if (Dwfl_Line* const line = dwfl_module_getsrc(module, address)) {
    const char* const file = dwfl_lineinfo(line, nullptr, &place.line, nullptr, nullptr, nullptr);
    if (file != nullptr) place.file = file;
  }
  Dwarf_Die* found = nullptr;
  const int count = dwarf_getscopes(unit, address - bias, &found);
  if (count <= 0) return places;
  // The scopes of an inlined function's definition end with its own: those around the place where
  // it was called come from its own entry.
  Dwarf_Die* around = nullptr;
  const int around_count = dwarf_getscopes_die(&found[0], &around);
  Dwarf_Die* const scopes = around_count > 0 ? around : found;
  for (int i = 0; i < (around_count > 0 ? around_count : count); ++i) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) continue;
    place.function = function_of(scopes[i]);
    places.push_back(place);
    if (tag == DW_TAG_subprogram) break;
    place = {};
    note_call(*unit, scopes[i], place);
  }
  std::free(found);
  std::free(around);
  return places;
}

}  // namespace

Symbols::Symbols() : dwfl_(dwfl_begin(&kCallbacks)) {}
Symbols::~Symbols() { dwfl_end(dwfl_); }

Dwfl_Module* Symbols::module_at(const std::string& path) {
  const auto [at, is_new] = modules_.try_emplace(path, nullptr);
  if (is_new && dwfl_ != nullptr) {
    dwfl_report_begin_add(dwfl_);
    at->second = dwfl_report_offline(dwfl_, path.c_str(), path.c_str(), -1);
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }
  return at->second;
}

std::vector<Place> Symbols::places_of(const std::string& path, std::uint64_t offset) {
  Dwfl_Module* const module = path.empty() ? nullptr : module_at(path);
  if (module == nullptr) return {Place{}};
  GElf_Addr bias = 0;
  if (dwfl_module_getelf(module, &bias) == nullptr) return {Place{}};
  const Dwarf_Addr address = bias + offset;
  std::vector<Place> places = places_in(module, address);
  if (!places.empty()) return places;
  Place place;
  GElf_Sym symbol;
  GElf_Off beyond = 0;
  place.function =
      demangled(dwfl_module_addrinfo(module, address, &beyond, &symbol, nullptr, nullptr, nullptr));
  place.beyond = beyond;
  return {place};
}

}  // namespace freshet::tool
