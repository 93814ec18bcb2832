#include "backend/pipeline_translation.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "freshet/options.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/stream_graph.h"
#include "translation/completion.h"

namespace freshet::core {

std::vector<std::string> PipelineTranslation::load_operator_libraries(const Pipeline& pipeline) {
  std::vector<std::string> skipped;
  if (pipeline.kind() == StreamGraph::kKind) {
    const auto& vertices = static_cast<const StreamGraph&>(pipeline).vertices();
    if (std::none_of(vertices.begin(), vertices.end(),
                     [](const StreamVertex& v) { return !v.registered_name.empty(); })) {
      return skipped;
    }
  }
  PluginCatalog& plugins = process_.catalog();
  for (const std::uint32_t kind : {FRESHET_KIND_OPERATORS, FRESHET_KIND_CONNECTOR}) {
    for (const CatalogEntry* library : plugins.usable(kind)) {
      try {
        plugins.load(*library);
      } catch (const RefusedFile& refused) {  // most jobs do not need it
        skipped.push_back(kind_name(kind) + " plugin '" + library->file.identity.name + "' (" +
                          printable(library->file.path.native(), 4096) +
                          ") is skipped: " + refused.reason());
        spdlog::warn("{}", skipped.back());
      }
    }
  }
  return skipped;
}

void PipelineTranslation::load_translators(const Pipeline& pipeline) {
  if (translators_.has(pipeline.kind())) return;
  PluginCatalog& plugins = process_.catalog();
  const std::lock_guard lock(mutex_);
  for (const CatalogEntry* entry : plugins.usable(FRESHET_KIND_FRONT_END)) {
    const auto skip = [&](const std::string& why) {
      spdlog::warn("front-end plugin '{}' ({}) is skipped: {}", entry->file.identity.name,
                   entry->file.path.native(), why);
    };
    try {
      auto translator = plugins.load(*entry).factory<FrontEnd>().make_translator();
      if (!translator) {
        skip("its make_translator() gives none");
      } else if (!translators_.has(translator->kind())) {
        translators_.add(std::move(translator));
      }
    } catch (const std::exception& error) {
      skip(error.what());
    }
  }
}

JobGraph PipelineTranslation::translate(const Pipeline& pipeline,
                                        const Configuration& configuration) {
  JobGraph job = plan(pipeline, configuration);
  for (const std::string& warning : job.warnings) spdlog::warn("job '{}': {}", job.name, warning);
  // Paths that operators open themselves begin where those of main do.
  std::error_code unknown;
  const std::filesystem::path here = std::filesystem::current_path(unknown);
  if (!unknown) job.settings[options::kApplicationWorkingFolder.key()] = here.native();
  return job;
}

JobGraph PipelineTranslation::plan(const Pipeline& pipeline, const Configuration& configuration) {
  load_translators(pipeline);
  const std::vector<std::string> skipped = load_operator_libraries(pipeline);
  try {
    return translators_.translate(pipeline, configuration);
  } catch (const UnknownOperator& unknown) {
    std::string text = unknown.what();
    for (const std::string& library : skipped) text += "\n  " + library;
    throw UnknownOperator(text + process_.catalog().account_of(FRESHET_KIND_OPERATORS));
  }
}

}  // namespace freshet::core
