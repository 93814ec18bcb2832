// How the operators of a module are found again in a process that never ran its main.
//
// Each instantiation of an operator in a module owns one OperatorDescriptor with static storage; at
// load it links itself into the list of *that* module. A vertex of a JobGraph names an operator as
// {sha256 of the module, offset of the descriptor from the module's base}: the same file gives the
// same offset in every process. type_name is for people only (two operators may share one).
//
// Threads    The list is written while the module is being loaded and only read afterwards.
// Ownership  Descriptors live as long as the module, and modules are never unloaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "freshet/api.h"

namespace freshet {

class Operator;
class Coordinator;
class PayloadReader;
struct RecordType;

using RecordTypeGetter = const RecordType& (*)();

struct OperatorDescriptor {
  const char* type_name;
  // Makes the operator from the payloads of its vertices, one each, in the order of the chain.
  // Throws DecodeError if a payload is not what this operator wrote.
  std::unique_ptr<Operator> (*make)(PayloadReader* payloads, std::size_t count);
  // How many vertices the operator stands for: 1, or the stages of a fused kernel.
  std::uint32_t stages;
  // Makes the vertex's coordinator (split enumerator, committer); null where it has none.
  std::unique_ptr<Coordinator> (*make_coordinator)(PayloadReader& payload);
  // Name by which a graph built at run time asks for this operator; null for the templates of the
  // DataStream API, which are asked for by offset.
  const char* registered_name;
  const OperatorDescriptor* next;
  // The records of input 0 and of output 0, where a registered operator says so, else null: jobs
  // are compared with them when they are translated.
  RecordTypeGetter reads = nullptr;
  RecordTypeGetter writes = nullptr;
};

struct ModuleAnchor {
  const OperatorDescriptor* operators = nullptr;
  const ModuleAnchor* next = nullptr;  // announced before this one
};

// Makes a module known while it is being loaded, by the first of its operators: also one without an
// entry, such as a library that an application links.
FRESHET_API void announce_module(ModuleAnchor& anchor) noexcept;
// The last one announced. [any thread]
FRESHET_API const ModuleAnchor* announced_modules() noexcept;

// One per module: inline and hidden, so the linker merges it inside a shared object and nowhere
// else.
FRESHET_HIDDEN inline ModuleAnchor module_anchor;

namespace detail {

template <class T>
constexpr const char* pretty_name() {
  return __PRETTY_FUNCTION__;
}

// O has make(), kStages and coordinator_maker(). Registered<O>::descriptor() is the descriptor of O
// in this module. Naming it is what makes the compiler emit the registration: also in functions
// that are never run.
template <class O>
class FRESHET_HIDDEN Registered {
 public:
  static const OperatorDescriptor* descriptor() {
    static_cast<void>(&link_);
    return &descriptor_;
  }

 private:
  struct FRESHET_HIDDEN Link {
    Link() {
      if (module_anchor.operators == nullptr) announce_module(module_anchor);
      descriptor_.next = module_anchor.operators;
      module_anchor.operators = &descriptor_;
    }
  };
  static inline OperatorDescriptor descriptor_{
      pretty_name<O>(), &O::make, O::kStages, O::coordinator_maker(),
      nullptr,          nullptr,  nullptr,    nullptr};
  static inline Link link_{};
};

// An operator that graphs made at run time ask for by name. O has make(PayloadReader*, size_t), and
// coordinator_maker() if it has a coordinator.
template <class O>
class FRESHET_HIDDEN RegisteredByName {
 public:
  explicit RegisteredByName(const char* name)
      : descriptor_{pretty_name<O>(),        &O::make, 1,      nullptr, name,
                    module_anchor.operators, nullptr,  nullptr} {
    if constexpr (requires { O::reads(); }) descriptor_.reads = O::reads();
    if constexpr (requires { O::writes(); }) descriptor_.writes = O::writes();
    if constexpr (requires { O::coordinator_maker(); }) {
      descriptor_.make_coordinator = O::coordinator_maker();
    }
    if (module_anchor.operators == nullptr) announce_module(module_anchor);
    module_anchor.operators = &descriptor_;
  }

 private:
  OperatorDescriptor descriptor_;
};

}  // namespace detail
}  // namespace freshet

// Registers operator class O of this module under a name, at global scope, once per name. O has
//
//   static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t);
//
// which gets one payload, and, if it has a coordinator,
//
//   static std::unique_ptr<freshet::Coordinator> (*coordinator_maker())(freshet::PayloadReader&);
//
// and, to have a job's records compared with its own before the job runs, one or both of
//
//   static freshet::RecordTypeGetter reads() { return &freshet::record_type<Record>; }
//   static freshet::RecordTypeGetter writes() { return &freshet::record_type<Record>; }
//
// The module is an operator library (freshet/plugin/plugin_registration.h) or an
// application. Names are those of a process: begin them with yours.
#define FRESHET_OPERATOR(name_, O)                                     \
  static ::freshet::detail::RegisteredByName<O> FRESHET_DETAIL_UNIQUE( \
      freshet_registered_operator_)(name_)
#define FRESHET_DETAIL_UNIQUE(prefix) FRESHET_DETAIL_JOIN(prefix, __COUNTER__)
#define FRESHET_DETAIL_JOIN(a, b) FRESHET_DETAIL_JOIN2(a, b)
#define FRESHET_DETAIL_JOIN2(a, b) a##b
