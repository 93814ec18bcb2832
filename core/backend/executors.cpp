#include "backend/executors.h"

#include <spdlog/spdlog.h>

#include <string>

#include "freshet/target.h"
#include "selection/deployer_selection.h"
#include "selection/executor_selection.h"
#include "task/forked_child.h"

namespace freshet::core {
namespace {

// A target that takes whole applications runs no job of a program that calls execute() itself.
SelectedExecutor selected_executor(PluginCatalog& catalog, const Configuration& configuration) {
  try {
    return select_executor(catalog, configuration);
  } catch (const NoExecutor& none) {
    std::vector<std::string> skipped;
    if (!is_cluster_target(catalog, configuration, skipped)) {
      std::string text = none.what();
      for (const std::string& warning : skipped) text += "\n  " + warning;
      throw NoExecutor(text);
    }
    const Target target = Target::of(configuration);
    throw InvalidInput("execute() was called in a program, and target '" + target.text() +
                       "' takes whole applications with their main: run it by 'fr-run APP "
                       "--target=" +
                       target.text() + "', or take target '" + target.session().text() +
                       "' and a cluster that runs already (fr cluster start)");
  }
}

}  // namespace

Executor& Executors::executor_for(const Configuration& configuration) {
  const SelectedExecutor selected = selected_executor(process_.catalog(), configuration);
  for (const std::string& warning : selected.warnings) spdlog::warn("{}", warning);
  const std::lock_guard lock(mutex_);
  auto& executor = executors_[&selected.factory];
  if (!executor) executor = make_executor(selected, services_);
  return *executor;
}

Future<std::unique_ptr<JobClient>> Executors::execute(const Pipeline& pipeline,
                                                      const Configuration& configuration) {
  refuse_in_forked_child("a job can't be run");
  auto client = executor_for(configuration).execute(pipeline, configuration);
  has_submitted_ = true;
  const std::lock_guard lock(mutex_);
  std::erase_if(submissions_, [](const Future<void>& each) { return each.ready(); });
  submissions_.push_back(client.then([](const Future<std::unique_ptr<JobClient>>&) {}));
  return client;
}

void Executors::wait_for_submissions() {
  std::vector<Future<void>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(submissions_);
  }
  for (const Future<void>& each : left) each.wait();
}

}  // namespace freshet::core
