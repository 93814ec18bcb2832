// The executor 'template-name': fr-run app.so --target=template-name
#include <freshet/configuration.h>
#include <freshet/job_client.h>
#include <freshet/options.h>
#include <freshet/plugin/executor.h>
#include <freshet/plugin/job_graph.h>
#include <freshet/plugin/plugin_registration.h>

#include <exception>
#include <memory>
#include <string>

namespace {

using Submitted = std::unique_ptr<freshet::JobClient>;

class TemplateNameExecutor final : public freshet::Executor {
 public:
  explicit TemplateNameExecutor(freshet::ExecutorServices& services) : services_(services) {}

  // Returns at once. What can't be submitted fails the future; nothing is thrown.
  freshet::Future<Submitted> execute(const freshet::Pipeline& pipeline,
                                     const freshet::Configuration& configuration) override {
    freshet::Promise<Submitted> submitted;
    try {
      const std::string job = services_.translate(pipeline, configuration).to_bytes();
      // Here these bytes can go elsewhere, with a JobClient of your own that speaks to it.
      submitted.set_value(services_.run_in_process(job, configuration));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  freshet::ExecutorServices& services_;
};

class TemplateNameExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return "template-name"; }
  // Exactly one executor says yes to a configuration.
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kExecutionTarget) == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<TemplateNameExecutor>(services);
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("template-name", "0.1.0", TemplateNameExecutorFactory);
