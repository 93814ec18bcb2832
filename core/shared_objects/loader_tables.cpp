// Of the dynamic segment, what the loader follows without a look at where it leads: tables of
// relocations, of functions to call and of versions. What lies nowhere would end the process.
#include <algorithm>

#include "shared_objects/elf_file.h"

namespace freshet::core {
namespace {

struct Table {
  std::int64_t address, size, entry_size;  // tags; 0: has none
  std::uint64_t takes;                     // bytes of an entry
  const char* what;
};

constexpr Table kTables[] = {
    {DT_STRTAB, DT_STRSZ, 0, 1, "the string table"},
    {DT_RELA, DT_RELASZ, DT_RELAENT, sizeof(Elf64_Rela), "the table of relocations"},
    {DT_RELR, DT_RELRSZ, DT_RELRENT, sizeof(Elf64_Relr), "the table of relative relocations"},
    {DT_JMPREL, DT_PLTRELSZ, 0, sizeof(Elf64_Rela), "the table of relocations of calls"},
    {DT_INIT_ARRAY, DT_INIT_ARRAYSZ, 0, sizeof(Elf64_Addr), "the table of constructors"},
    {DT_FINI_ARRAY, DT_FINI_ARRAYSZ, 0, sizeof(Elf64_Addr), "the table of destructors"},
};

// Their sizes stand elsewhere: the first entry has to be there.
constexpr Table kBeginnings[] = {
    {DT_PLTGOT, 0, 0, 3 * sizeof(Elf64_Addr), "the table of calls"},
    {DT_VERSYM, 0, 0, sizeof(Elf64_Half), "the table of versions"},
    {DT_VERNEED, 0, 0, sizeof(Elf64_Verneed), "the table of needed versions"},
    {DT_VERDEF, 0, 0, sizeof(Elf64_Verdef), "the table of defined versions"},
};

constexpr Table kFunctions[] = {
    {DT_INIT, 0, 0, 1, "the first function to call"},
    {DT_FINI, 0, 0, 1, "the last function to call"},
};

}  // namespace

void ElfFile::check_loader_tables(const std::map<std::int64_t, std::uint64_t>& values) const {
  const auto value = [&](std::int64_t tag) -> std::optional<std::uint64_t> {
    const auto at = values.find(tag);
    if (tag == 0 || at == values.end()) return std::nullopt;
    return at->second;
  };
  const auto number = [](std::optional<std::uint64_t> n) { return n ? std::to_string(*n) : "no"; };
  for (const Table& table : kTables) {
    const auto address = value(table.address), size = value(table.size);
    if (!address) continue;
    const auto entry = table.entry_size == 0 ? table.takes : value(table.entry_size);
    if (!size || entry != table.takes || *size % table.takes != 0)
      refuse(std::string(table.what) + " is said to have " + number(size) +
             " bytes in entries of " + number(entry) + ", the loader takes whole ones of " +
             number(table.takes) + ": it is damaged, build it again");
    offset_of_address(*address, *size, table.what);
  }
  for (const Table& table : kBeginnings)
    if (const auto address = value(table.address))
      offset_of_address(*address, table.takes, table.what);
  for (const Table& function : kFunctions)
    if (const auto address = value(function.address)) check_is_code(*address, function.what);
  if (value(DT_PLTREL).value_or(DT_RELA) != DT_RELA)
    refuse("has relocations of type " + number(value(DT_PLTREL)) + ", the loader takes type " +
           number(DT_RELA) + ": it is damaged, build it again");
}

void ElfFile::check_is_code(std::uint64_t address, const char* what) const {
  const bool found = std::any_of(segments_.begin(), segments_.end(), [&](const Elf64_Phdr& s) {
    return s.p_type == PT_LOAD && (s.p_flags & PF_X) != 0 && address >= s.p_vaddr &&
           address - s.p_vaddr < s.p_filesz;
  });
  if (!found)
    refuse(std::string(what) + " is said to be at address " + std::to_string(address) +
           ", which no segment of code holds: it is damaged, build it again");
}

}  // namespace freshet::core
