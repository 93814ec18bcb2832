// What a loaded shared object gives to all others.
#pragma once

#include <string>
#include <vector>

#include "freshet/plugin.h"

namespace freshet::tool {

struct ExportedSymbol {
  std::string name;
  bool unique;  // of the whole process: two modules with one share it, and none is ever unloaded
};

// Of the object that the entry lies in. Throws InvalidInput if it lies in none.
std::vector<ExportedSymbol> exported_symbols(const freshet_plugin_v1& entry);

}  // namespace freshet::tool
