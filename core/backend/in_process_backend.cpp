#include "backend/in_process_backend.h"

#include <errno.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "backend/running_jobs.h"
#include "backend/this_process.h"
#include "bounds/bounds.h"
#include "client/rpc_cluster_client.h"
#include "configuration/configuration.h"
#include "control/alive.h"
#include "control/id_source.h"
#include "freshet/options.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/stream_graph.h"
#include "selection/deployer_selection.h"
#include "selection/executor_selection.h"
#include "task/forked_child.h"
#include "translation/completion.h"

namespace freshet::core {
namespace {

// A target that takes whole applications runs no job of a program that calls execute() itself.
SelectedExecutor executor_or_mend(PluginCatalog& catalog, const Configuration& configuration) {
  try {
    return select_executor(catalog, configuration);
  } catch (const NoExecutor& none) {
    std::vector<std::string> skipped;
    if (!is_cluster_target(catalog, configuration, skipped)) {
      std::string text = none.what();
      for (const std::string& warning : skipped) text += "\n  " + warning;
      throw NoExecutor(text);
    }
    const std::string target = configuration.get(options::kExecutionTarget);
    throw InvalidInput("execute() was called in a program, and target '" + target +
                       "' takes whole applications with their main: run it by 'fr-run APP "
                       "--target=" +
                       target + "', or take target '" + target +
                       "-session' and a cluster that runs already (fr cluster start)");
  }
}

}  // namespace

InProcessBackend& InProcessBackend::instance() {
  static InProcessBackend backend;
  return backend;
}

InProcessBackend::InProcessBackend() : translators_(ProcessModules::of_this_process()) {
  // Made first, so that it is destroyed last: its jobs use what is here.
  RunningJobs::instance();
}

void InProcessBackend::set_configuration(Configuration configuration) {
  const std::lock_guard lock(mutex_);
  configuration_ = std::make_unique<Configuration>(std::move(configuration));
}

Configuration InProcessBackend::configuration() {
  const std::lock_guard lock(mutex_);
  if (!configuration_) {
    Configuration loaded = load_configuration({{}, {}, process_environment()});
    if (!loaded.contains(options::kExecutionTarget)) {
      loaded.set_raw(options::kExecutionTarget.key(), "local",
                     Origin{Origin::Kind::kDefault, "a program that was not started by fr-run"});
    }
    configuration_ = std::make_unique<Configuration>(std::move(loaded));
  }
  return *configuration_;
}

void InProcessBackend::set_cluster(std::shared_ptr<ClusterClient> cluster,
                                   std::string application_id) {
  const std::lock_guard lock(mutex_);
  own_cluster_ = std::move(cluster);
  application_id_ = std::move(application_id);
}

std::shared_ptr<ClusterClient> InProcessBackend::cluster(const Configuration& configuration) {
  auto client = connected(configuration);
  begin_at(client);
  return client;
}

std::shared_ptr<ClusterClient> InProcessBackend::connected(const Configuration& configuration) {
  refuse_in_forked_child("a cluster can't be reached");
  const std::string name = configuration.find(options::kExecutionTarget).value_or("") + ' ' +
                           configuration.find(options::kClusterId).value_or("");
  {
    const std::lock_guard lock(mutex_);
    if (own_cluster_) return own_cluster_;
    if (const auto at = clusters_.find(name); at != clusters_.end()) return at->second;
  }
  const SelectedDeployer selected = select_deployer(catalog(), configuration);
  LocalDeployerServices& services = deployer_services_of_this_process();
  services.set_client_timeout(configuration.get(options::kClientTimeout).ms());
  const auto deployer = make_deployer(selected, services);
  std::shared_ptr<ClusterClient> client = deployer->retrieve(configuration).get();
  const std::lock_guard lock(mutex_);
  // main runs here: its jobs are one application.
  if (application_id_.empty()) {
    application_id_ = configuration.find(options::kApplicationId).value_or(RandomIds().draw());
  }
  return clusters_.emplace(name, std::move(client)).first->second;
}

// ---- a main in this process ---------------------------------------------------------------------

namespace {

pid_t began_in = 0;  // before the hook is there

// exit() in main, or the end of a program's own main: the objects of its frames are not destroyed.
void tell_exit(int exit_code, void*) {
  if (::getpid() != began_in) return;  // a child that main has forked
  InProcessBackend::instance().end_application(exit_code, {});
}

}  // namespace

void InProcessBackend::begin_application(const Configuration& configuration,
                                         const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    application_name_ = name;
  }
  static_cast<void>(cluster(configuration));
}

void InProcessBackend::begin_at(const std::shared_ptr<ClusterClient>& cluster) {
  // One of a deployer's own makes is told by the first job.
  auto* const client = dynamic_cast<RpcClusterClient*>(cluster.get());
  std::string id, name;
  {
    const std::lock_guard lock(mutex_);
    if (client == nullptr || own_cluster_) return;
    id = application_id_;
    name = application_name_.empty() ? program_invocation_short_name : application_name_;
  }
  const std::lock_guard lock(application_mutex_);
  if (main_over_ || std::count(begun_at_.begin(), begun_at_.end(), cluster) > 0) return;
  if (ticket_.empty()) ticket_ = RandomIds().draw();
  client->begin_application(id, name, ticket_).get();
  if (begun_at_.empty()) {
    began_in = ::getpid();
    ::on_exit(tell_exit, nullptr);
  }
  begun_at_.push_back(cluster);
}

void InProcessBackend::end_application(int exit_code, const MainEnd& end) {
  const std::string id = application_id();
  const std::lock_guard lock(application_mutex_);
  if (begun_at_.empty() || std::exchange(main_over_, true)) return;
  std::vector<Future<void>> told;
  for (const auto& cluster : begun_at_) {
    auto& client = static_cast<RpcClusterClient&>(*cluster);
    told.push_back(client.end_application(id, exit_code, end));
  }
  constexpr std::int64_t kPatienceMs = 2'000;
  for (const Future<void>& each : told) {
    if (each.wait_for(kPatienceMs) && !error_of(each).empty())
      spdlog::debug("the end of main was not taken: {}", error_of(each));
  }
}

std::unique_ptr<JobClient> InProcessBackend::job_client(const Configuration& configuration) {
  const std::string id = configuration.get(options::kJobId);
  constexpr std::size_t kDigits = 32;
  if (id.size() != kDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw BadValue(options::kJobId.key(), id, configuration.origin(options::kJobId),
                   "32 hex digits in lower case, as 'fr list' shows them");
  auto job = connected(configuration)->job(id);
  static_cast<void>(job->status().get());
  return job;
}

std::string InProcessBackend::application_id() const {
  const std::lock_guard lock(mutex_);
  return application_id_;
}

PluginCatalog& InProcessBackend::catalog() {
  const std::vector<std::string> folders = configuration().get(options::kPluginDirs);
  const std::lock_guard lock(mutex_);
  if (!catalog_) {
    catalog_ =
        std::make_unique<PluginCatalog>(SearchPath(SearchPath::Sources::of_this_process(folders)));
  }
  return *catalog_;
}

Executor& InProcessBackend::executor_for(const Configuration& configuration) {
  const SelectedExecutor selected = executor_or_mend(catalog(), configuration);
  for (const std::string& warning : selected.warnings) spdlog::warn("{}", warning);
  const std::lock_guard lock(mutex_);
  auto& executor = executors_[&selected.factory];
  if (!executor) executor = make_executor(selected, *this);
  return *executor;
}

Future<std::unique_ptr<JobClient>> InProcessBackend::execute(const Pipeline& pipeline,
                                                             const Configuration& configuration) {
  refuse_in_forked_child("a job can't be run");
  auto client = executor_for(configuration).execute(pipeline, configuration);
  submitted_ = true;
  const std::lock_guard lock(mutex_);
  std::erase_if(submissions_, [](const Future<void>& each) { return each.ready(); });
  submissions_.push_back(client.then([](const Future<std::unique_ptr<JobClient>>&) {}));
  return client;
}

void InProcessBackend::wait_for_submissions() {
  std::vector<Future<void>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(submissions_);
  }
  for (const Future<void>& each : left) each.wait();
}

std::vector<std::string> InProcessBackend::load_operator_libraries(const Pipeline& pipeline) {
  std::vector<std::string> skipped;
  if (pipeline.kind() == StreamGraph::kKind) {
    const auto& vertices = static_cast<const StreamGraph&>(pipeline).vertices();
    if (std::none_of(vertices.begin(), vertices.end(),
                     [](const StreamVertex& v) { return !v.registered_name.empty(); })) {
      return skipped;
    }
  }
  PluginCatalog& plugins = catalog();
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

void InProcessBackend::load_translators(const Pipeline& pipeline) {
  if (translators_.has(pipeline.kind())) return;
  PluginCatalog& plugins = catalog();
  const std::lock_guard lock(translators_mutex_);
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

JobGraph InProcessBackend::translate(const Pipeline& pipeline, const Configuration& configuration) {
  JobGraph job = plan(pipeline, configuration);
  for (const std::string& warning : job.warnings) spdlog::warn("job '{}': {}", job.name, warning);
  // Paths that operators open themselves begin where those of main do.
  std::error_code unknown;
  const std::filesystem::path here = std::filesystem::current_path(unknown);
  if (!unknown) job.settings[options::kApplicationWorkingFolder.key()] = here.native();
  return job;
}

JobGraph InProcessBackend::plan(const Pipeline& pipeline, const Configuration& configuration) {
  load_translators(pipeline);
  const std::vector<std::string> skipped = load_operator_libraries(pipeline);
  try {
    return translators_.translate(pipeline, configuration);
  } catch (const UnknownOperator& unknown) {
    std::string text = unknown.what();
    for (const std::string& library : skipped) text += "\n  " + library;
    throw UnknownOperator(text + catalog().account_of(FRESHET_KIND_OPERATORS));
  }
}

std::unique_ptr<JobClient> InProcessBackend::run_in_process(const std::string& job_graph,
                                                            const Configuration& configuration) {
  // As a cluster would: an application has the same limits wherever it runs.
  if (job_graph.size() > kMostJobGraphBytes) {
    check_size_of_job(JobGraph::from_bytes(job_graph).name, job_graph.size());
  }
  return RunningJobs::instance().start(
      std::make_unique<LocalJob>(clock_of_this_process(), job_graph, configuration));
}

}  // namespace freshet::core

extern "C" freshet::detail::ExecutionBackend* freshet_core_backend() {
  return &freshet::core::InProcessBackend::instance();
}
