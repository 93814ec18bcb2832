// What every shared object meets: it is judged, loaded, makes objects and takes them back.
#include <algorithm>
#include <cstring>
#include <exception>
#include <iterator>
#include <thread>

#include "plugin/check.h"
#include "plugin/exported_symbols.h"
#include "plugin/leaks.h"
#include "shared_objects/plugin_kind.h"

namespace freshet::tool {
using namespace core;
namespace {

void identity(CaseContext& context) { context.file(); }

void exports(CaseContext& context) {
  std::string others;
  for (const ExportedSymbol& symbol : exported_symbols(context.contract())) {
    if (symbol.name == FRESHET_PLUGIN_ENTRY && !symbol.unique) continue;
    others += (others.empty() ? "" : ", ") + printable(symbol.name, 200) +
              (symbol.unique ? " (unique)" : "");
    if (others.size() > 600) {
      others += ", ...";
      break;
    }
  }
  if (others.empty()) return;
  throw CaseFailed("it exports more than " FRESHET_PLUGIN_ENTRY ": " + others +
                   ": compile with -fvisibility=hidden and link with the SDK's version script");
}

void loads(CaseContext& context) {
  const freshet_plugin_v1& contract = context.contract();
  const PluginKind* kind = find_kind(contract.kind);
  const auto must = [](bool holds, const std::string& what) {
    if (!holds) throw CaseFailed(what + ": use the macro of this kind");
  };
  const bool makes = kind != nullptr && kind->interface[0] != '\0';
  must(!makes || contract.create != nullptr, "its entry has no create()");
  must((contract.create == nullptr) == (contract.destroy == nullptr),
       "its entry has one of create() and destroy()");
  const bool is_application = contract.kind == FRESHET_KIND_APPLICATION;
  must((contract.main != nullptr) == is_application,
       is_application ? "its entry has no main" : "its entry has a main and is no application");
  must(contract.operators != nullptr, "its entry has no list of operators");
}

Rounds creating(CaseContext& context) {
  return {"create() and destroy()", "destroy()", "create()", [&context] {
            void* const object = context.create();
            context.destroy(object);
          }};
}

void creates(CaseContext& context) { creating(context).run(2); }
void keeps_memory(CaseContext& context) { expect_no_more_memory(creating(context)); }
void keeps_descriptors(CaseContext& context) { expect_no_more_descriptors(creating(context)); }
void keeps_threads(CaseContext& context) { expect_no_more_threads(creating(context)); }

void several_at_once(CaseContext& context) {
  void* const first = context.create();
  void* const second = context.create();
  if (first == second) throw CaseFailed("two calls of create() gave the same object");
  void* third = nullptr;
  std::exception_ptr error;
  std::thread([&] {
    try {
      third = context.create();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
  context.destroy(first);
  context.destroy(third);
  context.destroy(second);
}

// With room for a reason of every size, none of it written beyond its end.
void small_buffers(CaseContext& context) {
  const freshet_plugin_v1& contract = context.contract();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{16}}) {
    context.doing("create() with room for " + std::to_string(size) + " bytes of reason");
    char error[64];
    std::memset(error, '#', sizeof error);
    void* const object = contract.create(size == 0 ? nullptr : error, size);
    if (std::any_of(error + size, std::end(error), [](char c) { return c != '#'; })) {
      throw CaseFailed("create() writes a reason beyond the " + std::to_string(size) +
                       " bytes that it was given");
    }
    if (object == nullptr) {
      throw CaseFailed("create() works with room for a long reason and fails with room for " +
                       std::to_string(size) + " bytes");
    }
    context.destroy(object);
  }
}

}  // namespace

std::vector<Case> life_cases(std::uint32_t kind) {
  std::vector<Case> cases{
      {"identity", "is a shared object that this Freshet would load", "", identity},
      {"loads", "is loaded, and the process that loaded it ends well", "identity", loads},
      {"exports", "exports its entry alone, and no unique symbol", "loads", exports},
  };
  const PluginKind* known = find_kind(kind);
  if (known != nullptr && *known->interface == '\0') return cases;  // makes nothing
  const std::vector<Case> more{
      {"creates", "makes an object and takes it back", "loads", creates},
      {"threads", "fifty objects later has no more threads", "creates", keeps_threads},
      {"descriptors", "fifty objects later holds no more descriptors", "creates",
       keeps_descriptors},
      // A thread has memory of its own.
      {"memory", "fifty objects later holds no more memory", "threads", keeps_memory},
      {"several", "makes several objects that live at once, on any thread", "creates",
       several_at_once},
      {"errors", "keeps within the buffer for its reason", "creates", small_buffers},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace freshet::tool
