// What an executor does with jobs: those of the kit (tools/kit), by way of the public API.
#include <filesystem>
#include <memory>

#include "backend/in_process_backend.h"
#include "freshet/detail/backend.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/pipeline.h"
#include "modules/application.h"
#include "plugin/check.h"
#include "plugin/leaks.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kPatienceMs = 5'000;

const Origin kByCheck{Origin::Kind::kCommandLine, "fr plugin check"};

// Every pipeline of this process goes to the executor under test.
class ExecutorUnderTest final : public detail::ExecutionBackend {
 public:
  explicit ExecutorUnderTest(CaseContext& context)
      : context_(context), factory_(*static_cast<ExecutorFactory*>(context.create())) {
    context.doing("name()");
    const char* name = factory_.name();
    if (name == nullptr || *name == '\0') {
      throw CaseFailed("its factory has no name: name() gives the target that it stands for");
    }
    target_ = context.request.target.empty() ? name : context.request.target;
    configuration_ = context.request.configuration.load();
    configuration_.set_raw(options::kExecutionTarget.key(), target_, kByCheck);
  }

  const std::string& target() const { return target_; }
  bool is_compatible_with(const std::string& what, const Configuration& configuration) const {
    context_.doing("is_compatible_with(" + what + ")");
    try {
      return factory_.is_compatible_with(configuration);
    } catch (...) {
      throw CaseFailed("is_compatible_with() throws for " + what + ": " +
                       detail::current_exception_message() + ": answer false to what is not yours");
    }
  }

  // Makes the executor, and the kit's main run these jobs.
  void run_jobs(std::vector<std::string> arguments) {
    open();
    const std::string kit = kit_file();
    const ModuleStore store(ModuleStore::default_state_folder());
    const LoadedApplication application = load_application(store, kit, {});
    arguments.insert(arguments.begin(), context_.request.folder);
    context_.doing("running jobs");
    const MainResult main = run_main(application, kit, arguments);
    if (main.outcome != FRESHET_MAIN_RETURNED) throw CaseFailed(main.error);
    if (main.exit_code != 0) {
      throw CaseFailed("the kit returned " + std::to_string(main.exit_code));
    }
  }
  void open() {
    context_.doing("create() of the factory");
    InProcessBackend& services = InProcessBackend::instance();
    services.set_configuration(configuration_);
    executor_ = factory_.create(services);
    if (!executor_) throw CaseFailed("create() of its factory gives no executor");
    detail::set_execution_backend(this);
  }
  Future<std::unique_ptr<JobClient>> submit(const Pipeline& pipeline) {
    return executor_->execute(pipeline, configuration_);
  }

  Configuration configuration() override { return configuration_; }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    return executor_->execute(pipeline, configuration);
  }

 private:
  CaseContext& context_;
  ExecutorFactory& factory_;
  std::string target_;
  Configuration configuration_;
  std::unique_ptr<Executor> executor_;
};

// Its process ends without ever taking it down.
ExecutorUnderTest& under_test(CaseContext& context) { return *new ExecutorUnderTest(context); }

void run_jobs(CaseContext& context, std::vector<std::string> jobs) {
  under_test(context).run_jobs(std::move(jobs));
}

void compatibility(CaseContext& context) {
  const ExecutorUnderTest& executor = under_test(context);
  const Configuration whole = context.request.configuration.load();
  const auto with_target = [&](const std::string& target) {
    Configuration configuration = whole;
    configuration.set_raw(options::kExecutionTarget.key(), target, kByCheck);
    return configuration;
  };
  const auto expect = [&](bool yes, const std::string& what, const Configuration& configuration) {
    for (int i = 0; i < 2; ++i) {
      if (executor.is_compatible_with(what, configuration) == yes) continue;
      throw CaseFailed(std::string("says ") + (yes ? "no" : "yes") + " to " + what +
                       ", exactly one executor says yes to a configuration: compare " +
                       options::kExecutionTarget.key() + " with its name");
    }
  };
  expect(true, "target '" + executor.target() + "'", with_target(executor.target()));
  expect(false, "a configuration without a target", Configuration());
  expect(false, "target 'no-such-target'", with_target("no-such-target"));
  expect(false, "a target of a megabyte", with_target(std::string(1 << 20, 'x')));
  expect(false, "a target of odd bytes", with_target(std::string("\xff\0\n\x1b[2J", 7)));
  Configuration odd = with_target("no-such-target");
  odd.set_raw(options::kParallelismDefault.key(), "many", kByCheck);
  odd.set_raw("no.such.option", std::string(1000, '\n'), kByCheck);
  expect(false, "values that no option takes", odd);
}

// An executor that has run nothing gives back all that it has taken.
Rounds making(CaseContext& context) {
  const auto* factory = static_cast<const ExecutorFactory*>(context.create());
  InProcessBackend& services = InProcessBackend::instance();
  services.set_configuration(context.request.configuration.load());
  return {"create() of the factory", "the executor's destructor", "its constructor",
          [&context, &services, factory] {
            context.doing("create() of the factory");
            std::unique_ptr<Executor> executor = factory->create(services);
            if (!executor) throw CaseFailed("create() of its factory gives no executor");
            context.doing("destroying the executor");
            executor.reset();
          }};
}
void keeps_memory(CaseContext& context) { expect_no_more_memory(making(context)); }
void keeps_descriptors(CaseContext& context) { expect_no_more_descriptors(making(context)); }
void keeps_threads(CaseContext& context) { expect_no_more_threads(making(context)); }

void right_results(CaseContext& context) {
  run_jobs(context, {"words", "numbers", "broadcast", "order", "side-output", "empty"});
}
// What comes back from where the job ran: a client for which there is no way fails as 'not
// supported'.
void run_if_supported(CaseContext& context, const std::string& job) {
  try {
    run_jobs(context, {job});
  } catch (const CaseFailed& failed) {
    const std::string why = failed.what();
    if (why.find("not supported") == std::string::npos) throw;
    throw CaseSkipped(why);
  }
}
void collects(CaseContext& context) { run_if_supported(context, "collect"); }
void accumulators(CaseContext& context) { run_if_supported(context, "accumulators"); }
void failures(CaseContext& context) { run_jobs(context, {"failure"}); }
void cancels(CaseContext& context) { run_jobs(context, {"cancel"}); }
void two_at_once(CaseContext& context) { run_jobs(context, {"two-at-once"}); }

class UnknownPipeline final : public Pipeline {
 public:
  std::string_view kind() const override { return "freshet.kit.unknown"; }
};

void refuses(CaseContext& context) {
  ExecutorUnderTest& executor = under_test(context);
  executor.run_jobs({"refused"});
  context.doing("execute() of a pipeline that has no translator");
  const UnknownPipeline pipeline;
  Future<std::unique_ptr<JobClient>> submitted;
  try {
    submitted = executor.submit(pipeline);
  } catch (...) {
    throw CaseFailed("execute() throws (" + detail::current_exception_message() +
                     "): put it into the future that it returns");
  }
  if (!submitted.wait_for(kPatienceMs)) {
    throw CaseFailed("execute() of a pipeline that has no translator is not ready after 5 s");
  }
  try {
    static_cast<void>(submitted.get());
  } catch (const Error&) {
    return;
  }
  throw CaseFailed("execute() takes a pipeline that has no translator");
}

}  // namespace

std::vector<Case> executor_cases() {
  return {
      {"compatibility", "says yes to its own target and no to all others, never throws", "creates",
       compatibility},
      {"executor-threads", "fifty executors later has no more threads", "creates", keeps_threads},
      {"executor-descriptors", "fifty executors later holds no more descriptors", "creates",
       keeps_descriptors},
      {"executor-memory", "fifty executors later holds no more memory", "executor-threads",
       keeps_memory},
      {"results", "runs small jobs with the right results", "creates", right_results},
      {"collect", "brings collected records to the client", "creates", collects},
      {"accumulators", "brings accumulators to the client", "creates", accumulators},
      {"failures", "reports a failed job with operator and message", "creates", failures},
      {"cancel", "cancels a job without end", "creates", cancels},
      {"two-jobs", "runs two jobs at once", "creates", two_at_once},
      {"refusals", "refuses what can't be run, by the future of execute()", "creates", refuses},
  };
}

}  // namespace freshet::tool
