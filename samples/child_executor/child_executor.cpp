// An executor that runs each job in a process of its own: it writes the plan to a file and has
// fr-run run that, with the front end beside this plugin (plan_front_end.cpp) to read it.
//
//   fr-run ./libword_count.so --target=child ...
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "child_job.h"
#include "freshet/config_option.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/pipeline.h"
#include "freshet/plugin/plugin_registration.h"
#include "plan_file.h"

namespace child_executor {

namespace {

const freshet::ConfigOption<std::string> kFrRun{
    "child.fr-run", "fr-run", "The program that runs a job of the target 'child' in its process.",
    freshet::Scope::kClient};

// Where this plugin stands, and its front end.
std::string own_folder() {
  Dl_info found{};
  ::dladdr(&freshet_plugin, &found);
  return std::filesystem::absolute(found.dli_fname).parent_path().string();
}

std::string new_plan_file() {
  std::string name = (std::filesystem::temp_directory_path() / "freshet-plan-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0)
    throw freshet::Error("no file for a plan can be made as '" + name +
                         "': " + std::strerror(errno) + ": let TMPDIR be a folder with space");
  ::close(file);
  return name;
}

}  // namespace

class ChildExecutor final : public freshet::Executor {
 public:
  explicit ChildExecutor(freshet::ExecutorServices& services) : services_(services) {}
  // The process ends: so do its jobs.
  ~ChildExecutor() override {
    for (const auto& job : jobs_) job->cancel();
    for (const auto& job : jobs_) job->result().wait();
  }

  freshet::Future<std::unique_ptr<freshet::JobClient>> execute(
      const freshet::Pipeline& pipeline, const freshet::Configuration& configuration) override {
    freshet::Promise<std::unique_ptr<freshet::JobClient>> submitted;
    try {
      const PlanFile plan = PlanFile::of_this_process(services_.translate(pipeline, configuration));
      const std::string file = new_plan_file();
      plan.write(file);
      const std::vector<std::string> command{configuration.get(kFrRun), "--target=local",
                                             "--plugin-dir", own_folder(), file};
      auto job = ChildJob::start(plan.graph.id, plan.graph.name, command, file);
      {
        const std::lock_guard lock(mutex_);
        std::erase_if(jobs_,
                      [](const auto& known) { return freshet::is_terminal(known->status()); });
        jobs_.push_back(job);
      }
      submitted.set_value(client_of(std::move(job)));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  freshet::ExecutorServices& services_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ChildJob>> jobs_;
};

class ChildExecutorFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return "child"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kExecutionTarget) == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<ChildExecutor>(services);
  }
};

}  // namespace child_executor

FRESHET_EXECUTOR_PLUGIN("child", "0.1.0", child_executor::ChildExecutorFactory);
