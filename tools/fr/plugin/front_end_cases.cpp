// What the translator of a front end says of itself.
#include "freshet/pipeline.h"
#include "freshet/stream_graph.h"
#include "plugin/check.h"

namespace freshet::tool {
namespace {

void kind_of_pipelines(CaseContext& context) {
  const auto* first = static_cast<const PipelineTranslator*>(context.create());
  const auto* second = static_cast<const PipelineTranslator*>(context.create());
  context.doing("kind()");
  const std::string kind(first->kind());
  if (kind.empty()) throw CaseFailed("its translator is for pipelines of no kind: kind() is empty");
  if (kind != second->kind()) {
    throw CaseFailed("two of its translators are for pipelines of different kinds, '" +
                     printable(kind) + "' and '" + printable(second->kind()) + "'");
  }
  if (kind == StreamGraph::kKind) {
    throw CaseFailed("its translator is for pipelines of kind '" + kind +
                     "', which Freshet translates itself: name a kind of its own");
  }
  if (printable(kind) != kind) {
    throw CaseFailed("the kind '" + printable(kind) + "' has odd characters: use printable ASCII");
  }
}

}  // namespace

std::vector<Case> front_end_cases() {
  return {{"kind", "translates pipelines of one kind, its own", "creates", kind_of_pipelines}};
}

}  // namespace freshet::tool
