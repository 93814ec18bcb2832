// Names, files and lines of addresses, from the symbol tables and the debug information of the
// modules that they lie in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Dwfl;
struct Dwfl_Module;

namespace freshet::tool {

struct Place {
  std::string function;  // empty: not known
  std::string file;      // empty: no debug information
  int line = 0;
  std::uint64_t beyond = 0;  // bytes behind the function's beginning, without debug information
};

class Symbols {
 public:
  Symbols();
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // Innermost first: functions that were inlined there come before the one that holds them. At
  // least one.
  std::vector<Place> places_of(const std::string& module, std::uint64_t offset);

 private:
  Dwfl_Module* module_at(const std::string& path);

  Dwfl* const dwfl_;
  std::map<std::string, Dwfl_Module*> modules_;
};

}  // namespace freshet::tool
