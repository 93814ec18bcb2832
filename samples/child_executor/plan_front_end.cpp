// The other side: a front end that reads a plan, so that fr-run runs it like any other file.
#include <dlfcn.h>

#include "freshet/error.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/plugin_registration.h"
#include "plan_file.h"

namespace child_executor {

class PlanPipeline final : public freshet::Pipeline {
 public:
  static constexpr std::string_view kKind = "sample.plan";
  explicit PlanPipeline(freshet::JobGraph graph) : graph_(std::move(graph)) {}
  std::string_view kind() const override { return kKind; }
  const freshet::JobGraph& graph() const { return graph_; }

 private:
  const freshet::JobGraph graph_;
};

class PlanTranslator final : public freshet::PipelineTranslator {
 public:
  std::string_view kind() const override { return PlanPipeline::kKind; }
  freshet::JobGraph translate(const freshet::Pipeline& pipeline,
                              const freshet::Configuration&) const override {
    return static_cast<const PlanPipeline&>(pipeline).graph();
  }
};

class PlanFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "plan"; }
  bool recognises(std::string_view, std::string_view first_bytes) const override {
    return first_bytes.starts_with(kPlanMark);
  }
  std::unique_ptr<freshet::Pipeline> read(const std::string& path,
                                          const std::vector<std::string>&) const override {
    PlanFile plan = PlanFile::read(path);
    for (const std::string& module : plan.modules) {
      // Loading it is enough: its operators announce themselves. Never unloaded.
      if (!::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        throw freshet::InvalidInput("the plan '" + path + "' needs a module: " + ::dlerror() +
                                    ": put it there, or write the plan anew");
      }
    }
    return std::make_unique<PlanPipeline>(std::move(plan.graph));
  }
  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override {
    return std::make_unique<PlanTranslator>();
  }
};

}  // namespace child_executor

FRESHET_FRONT_END_PLUGIN("plan", "0.1.0", child_executor::PlanFrontEnd);
