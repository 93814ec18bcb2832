#include "translation/translator_registry.h"

#include <utility>

#include "bounds/bounds.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "translation/completion.h"
#include "translation/stream_graph_translator.h"

namespace freshet::core {

TranslatorRegistry::TranslatorRegistry(ProcessModules& modules, std::string application)
    : modules_(modules), job_ids_(std::move(application)) {
  add(std::make_unique<StreamGraphTranslator>(modules, job_ids_));
}

TranslatorRegistry::~TranslatorRegistry() = default;

void TranslatorRegistry::add(std::unique_ptr<PipelineTranslator> translator) {
  std::string kind(translator->kind());
  const std::lock_guard lock(mutex_);
  if (!translators_.emplace(kind, std::move(translator)).second) {
    throw InvalidInput("two translators are for pipelines of kind '" + kind +
                       "': take one of their plugins away");
  }
}

bool TranslatorRegistry::has(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  return translators_.find(kind) != translators_.end();
}

JobGraph TranslatorRegistry::translate(const Pipeline& pipeline,
                                       const Configuration& configuration) {
  const PipelineTranslator* translator = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = translators_.find(pipeline.kind());
    if (found != translators_.end()) {
      translator = found->second.get();
    } else {
      std::string known;
      for (const auto& entry : translators_)
        known += (known.empty() ? "'" : ", '") + entry.first + "'";
      throw InvalidInput("no translator is for pipelines of kind '" + std::string(pipeline.kind()) +
                         "', there are those for " + known +
                         ": install the front-end plugin that has it");
    }
  }
  JobGraph job = translator->translate(pipeline, configuration);
  if (job.id.empty()) {
    job.id = job_ids_.next(configuration.find(options::kApplicationId).value_or(""), job.name, "");
  }
  if (job.settings.empty()) {
    for (const auto& [key, entry] : configuration.of_scope(Scope::kJob).to_entries()) {
      job.settings.emplace(key, entry.text);
    }
  }
  job.name = cut_to(kMostNameBytes, std::move(job.name));
  for (JobVertex& vertex : job.vertices) {
    vertex.name = cut_to(kMostNameBytes, std::move(vertex.name));
  }
  complete_job(job, modules_);
  job.validate();
  return job;
}

}  // namespace freshet::core
