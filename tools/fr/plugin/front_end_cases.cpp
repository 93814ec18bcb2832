// What a front end and its translator say of themselves.
#include "freshet/front_end.h"
#include "freshet/operator.h"
#include "freshet/stream_graph.h"
#include "plugin/check.h"

namespace freshet::tool {
namespace {

const FrontEnd& front_end(CaseContext& context) {
  return *static_cast<const FrontEnd*>(context.create());
}

void kind_of_pipelines(CaseContext& context) {
  const auto kind_of = [&] {
    const FrontEnd& made = front_end(context);
    context.doing("make_translator()");
    const auto translator = made.make_translator();
    if (!translator) throw CaseFailed("it has no translator: make_translator() gives none");
    context.doing("kind()");
    return std::string(translator->kind());
  };
  const std::string kind = kind_of();
  if (kind.empty()) throw CaseFailed("its translator is for pipelines of no kind: kind() is empty");
  if (const std::string other = kind_of(); kind != other) {
    throw CaseFailed("two of its translators are for pipelines of different kinds, '" +
                     printable(kind) + "' and '" + printable(other) + "'");
  }
  if (kind == StreamGraph::kKind) {
    throw CaseFailed("its translator is for pipelines of kind '" + kind +
                     "', which Freshet translates itself: name a kind of its own");
  }
  if (printable(kind) != kind) {
    throw CaseFailed("the kind '" + printable(kind) + "' has odd characters: use printable ASCII");
  }
}

void claims(CaseContext& context) {
  const FrontEnd& asked = front_end(context);
  context.doing("name()");
  if (asked.name() == nullptr || *asked.name() == '\0') throw CaseFailed("it has no name: name()");
  const std::string odd[] = {"", std::string(4096, '\0'),
                             "\x7f"
                             "ELF",
                             std::string("\xff\xfe\n"), std::string(4096, 'x')};
  for (const std::string& bytes : odd) {
    for (const char* path : {"", "file", "/folder/file.of.no.kind", "/folder/file.yaml",
                             "/folder/file.json", "/folder/file.sql"}) {
      context.doing("recognises()");
      bool claimed = false;
      try {
        claimed = asked.recognises(path, bytes);
      } catch (...) {
        throw CaseFailed(
            "recognises() throws for odd bytes: " + detail::current_exception_message() +
            ": answer false to what is not yours");
      }
      if (claimed) {
        throw CaseFailed("it claims a file '" + std::string(path) + "' that begins with '" +
                         printable(bytes.substr(0, 8)) +
                         "', which is nobody's: claim what is certainly yours");
      }
    }
  }
}

}  // namespace

std::vector<Case> front_end_cases() {
  return {{"kind", "translates pipelines of one kind, its own", "creates", kind_of_pipelines},
          {"claims", "claims no file that is not its own", "creates", claims}};
}

}  // namespace freshet::tool
