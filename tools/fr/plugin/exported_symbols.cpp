#include "plugin/exported_symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdint>

#include "freshet/error.h"

namespace freshet::tool {
namespace {

// The loader has seen to it that these tables are whole.
struct Tables {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const std::uint32_t* gnu_hash = nullptr;
  const std::uint32_t* hash = nullptr;
};

template <class T>
const T* at_address(ElfW(Addr) address) {
  return reinterpret_cast<const T*>(
      address);  // NOLINT(performance-no-int-to-ptr): the loader's own
}

Tables tables_of(const link_map& module) {
  Tables tables;
  for (const ElfW(Dyn)* entry = module.l_ld; entry->d_tag != DT_NULL; ++entry) {
    const auto at = entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) tables.symbols = at_address<ElfW(Sym)>(at);
    if (entry->d_tag == DT_STRTAB) tables.names = at_address<char>(at);
    if (entry->d_tag == DT_GNU_HASH) tables.gnu_hash = at_address<std::uint32_t>(at);
    if (entry->d_tag == DT_HASH) tables.hash = at_address<std::uint32_t>(at);
  }
  return tables;
}

// Exported symbols stand at the end of the table, one chain of hashes after the other; the last of
// a chain is odd.
std::uint32_t symbol_count(const Tables& tables) {
  if (tables.gnu_hash == nullptr) return tables.hash == nullptr ? 0 : tables.hash[1];
  const std::uint32_t buckets = tables.gnu_hash[0], first = tables.gnu_hash[1];
  const std::uint32_t* bucket = tables.gnu_hash + 4 + std::size_t{tables.gnu_hash[2]} * 2;
  const std::uint32_t* chains = bucket + buckets;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < buckets; ++i) last = std::max(last, bucket[i]);
  if (last < first) return 0;
  while ((chains[last - first] & 1) == 0) ++last;
  return last + 1;
}

}  // namespace

std::vector<ExportedSymbol> exported_symbols(const freshet_plugin_v1& entry) {
  Dl_info found{};
  link_map* module = nullptr;
  if (::dladdr1(&entry, &found, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0) {
    throw InvalidInput("the entry of the plugin lies in no loaded file");
  }
  std::vector<ExportedSymbol> exported;
  const Tables tables = tables_of(*module);
  for (std::uint32_t i = 1; i < symbol_count(tables); ++i) {
    const ElfW(Sym)& symbol = tables.symbols[i];
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL || visibility == STV_HIDDEN) continue;
    exported.push_back({tables.names + symbol.st_name, binding == STB_GNU_UNIQUE});
  }
  return exported;
}

}  // namespace freshet::tool
