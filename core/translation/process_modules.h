// What translation must know of the process in which main built the pipeline: which module an
// operator or a function is of, and what a word points to that looks like an address.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/module.h"

namespace freshet::core {

class FRESHET_API ProcessModules {
 public:
  struct Place {
    JobModule module;
    std::uint64_t offset = 0;
  };

  virtual ~ProcessModules();
  // `anchor` is that of the module which the descriptor belongs to, null if it is not known. Throws
  // InvalidInput if the descriptor is in no module's list.
  virtual Place place_of(const OperatorDescriptor* descriptor, const ModuleAnchor* anchor) = 0;
  // Nothing if no module of a job has code at that address.
  virtual std::optional<Place> place_of_code(const void* function) = 0;
  // Null if no loaded module registered an operator under that name.
  virtual const OperatorDescriptor* find_operator(std::string_view registered_name) = 0;
  // What find_operator() finds, in alphabetical order.
  virtual std::vector<std::string> operator_names() { return {}; }

  // From an address to the range of mapped memory that it lies in ("the heap", "the stack", a
  // file); to "" where nothing is mapped. As of the call of mapped_memory().
  using RangeOf = std::function<std::string(std::uintptr_t address)>;
  virtual RangeOf mapped_memory() = 0;

  // By the ModuleRegistry of this process. Lives as long as the process.
  static ProcessModules& of_this_process();
};

}  // namespace freshet::core
