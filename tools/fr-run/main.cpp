// fr-run APP [options] [arguments]: loads an application and runs its main.
//
// The command line is translated into the configuration and holds nothing of its own. The first
// word behind the application that is none of fr-run's options, and all after it, is main's.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "backend/in_process_backend.h"
#include "clock/clock.h"
#include "cluster_run.h"
#include "cluster_words.h"
#include "configuration/configuration.h"
#include "crash/crash_handler.h"
#include "empty_values.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/target.h"
#include "host/deployer_services.h"
#include "interrupts.h"
#include "main_here.h"
#include "modules/application.h"
#include "own_words.h"
#include "process/main_end.h"
#include "progress.h"
#include "refused_urls.h"
#include "report.h"
#include "selection/deployer_selection.h"
#include "selection/executor_selection.h"
#include "selection/factory_selection.h"
#include "selection/front_end_selection.h"
#include "standard_streams.h"

namespace freshet::tool {
using namespace core;
namespace {

struct CommandLine {
  std::string application;
  std::string configuration_file;
  std::vector<FlagSetting> flags;
  std::vector<std::string> shipped;
  std::vector<std::string> arguments;
  std::string warning;  // of words that main gets; may be empty
  bool verbose = false;
  bool wait_for_cluster = false;
};

// Returns the exit code if there is nothing to run.
std::optional<int> read(int argc, char** argv, CommandLine& line) {
  CLI::App app("Runs an application (a shared object with a main) on a target.", "fr-run");
  app.footer(
      "Exit codes: main's own; 64 bad usage, 65 refused input, 69 no cluster answers, 70 a job\n"
      "failed, 71 main threw an exception, 74 output could not be written, 128 and a signal's\n"
      "number if that killed main, 130 canceled.");
  app.set_version_flag("--version", sdk_version());
  std::string target, parallelism, cluster_id, wait;
  bool detached = false;
  std::vector<std::string> definitions, plugin_dirs;
  app.add_option("APP", line.application,
                 "the application: a .so made with FRESHET_APPLICATION, or a file for a front end")
      ->required();
  app.add_option("--target", target,
                 "where jobs run: local, the default, in this process; standalone, on a cluster of "
                 "its own; standalone-session, on one that runs (execution.target)");
  app.add_option("--parallelism", parallelism,
                 "subtasks of an operator that sets none (parallelism.default)");
  app.add_option("-D", definitions, "key=value: any option; see fr config")
      ->allow_extra_args(false);
  app.add_option("--config", line.configuration_file, "the configuration file");
  app.add_option("--plugin-dir", plugin_dirs, "a folder with plugins (plugin.dirs)")
      ->allow_extra_args(false);
  app.add_option("--ship", line.shipped, "a file that the application needs beside it")
      ->allow_extra_args(false);
  app.add_option("--cluster-id", cluster_id,
                 "the cluster, of a target that ends in -session (cluster.id)");
  app.add_option("--wait-for-cluster", wait,
                 "wait so long for a cluster, such as '60 s' (client.timeout)");
  app.add_flag("-d,--detached", detached,
               "leave once a cluster has taken the application (client.attached)");
  app.add_flag("-v,--verbose", line.verbose, "says more");
  refuse_empty_values(app);
  try {
    std::vector<std::string> words(argv + 1, argv + argc);
    const auto own = words.begin() + static_cast<std::ptrdiff_t>(own_words(app, words, 1));
    line.arguments.assign(own, words.end());
    words.erase(own, words.end());
    refuse_words_without_value(words);
    std::reverse(words.begin(), words.end());  // as CLI::App::parse() takes them
    const bool unknown = !line.arguments.empty() && line.arguments.front() != "--";
    try {
      app.parse(words);
    } catch (const CLI::RequiredError&) {
      if (!unknown) throw;
      tell("there is no option '" + line.arguments.front() + "' (fr-run --help)");
      return exit_code::kBadUsage;
    }
    line.warning = warning_of_main_words(app, line.arguments);
    if (!line.arguments.empty() && line.arguments.front() == "--") {
      line.arguments.erase(line.arguments.begin());
    }
    for (const std::string& definition : definitions) {
      line.flags.push_back(parse_definition(definition));
    }
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    tell(std::string(error.what()) + " (fr-run --help)");
    return exit_code::kBadUsage;
  } catch (const InvalidInput& error) {
    tell(error.what());
    return exit_code::kBadUsage;
  }
  if (!target.empty()) {
    line.flags.push_back({options::kExecutionTarget.key(), target, "--target"});
  }
  if (!parallelism.empty()) {
    line.flags.push_back({options::kParallelismDefault.key(), parallelism, "--parallelism"});
  }
  if (!cluster_id.empty()) {
    line.flags.push_back({options::kClusterId.key(), cluster_id, "--cluster-id"});
  }
  if (!wait.empty()) {
    line.flags.push_back({options::kClientTimeout.key(), wait, "--wait-for-cluster"});
    line.wait_for_cluster = true;
  }
  if (detached) line.flags.push_back({options::kClientAttached.key(), "false", "--detached"});
  if (!plugin_dirs.empty()) {
    const std::string all = ConfigValue<std::vector<std::string>>::format(plugin_dirs);
    line.flags.push_back({options::kPluginDirs.key(), all, "--plugin-dir"});
  }
  return std::nullopt;
}

spdlog::level::level_enum severity(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::warn;
}

// Told once, when the options of everything that is loaded are known; by the destructor if the run
// is refused before that.
class ConfigurationWarnings {
 public:
  explicit ConfigurationWarnings(const Configuration& configuration)
      : configuration_(configuration) {}
  ~ConfigurationWarnings() { tell_all(); }
  ConfigurationWarnings(const ConfigurationWarnings&) = delete;
  ConfigurationWarnings& operator=(const ConfigurationWarnings&) = delete;

  void tell_all() {
    if (std::exchange(told_, true)) return;
    for (const std::string& line : configuration_warnings(configuration_, process_environment()))
      tell("warning: " + line);
  }

 private:
  const Configuration& configuration_;
  bool told_ = false;
};

// A file that is no application: its front end makes a pipeline of it.
int run_pipeline(const CommandLine& line, InProcessBackend& backend,
                 const Configuration& configuration, ConfigurationWarnings& warnings) {
  const SelectedFrontEnd selected = select_front_end(backend.catalog(), line.application);
  for (const std::string& warning : selected.warnings) tell("warning: " + warning);
  if (!line.shipped.empty()) refuse_shipped(line.application);
  const std::unique_ptr<Pipeline> pipeline =
      selected.front_end.read(line.application, line.arguments);
  warnings.tell_all();
  JobResult result;
  {
    const ProgressLine progress(configuration.get(options::kClientProgressInterval).ms());
    result = backend.execute(*pipeline, configuration).get()->result().get();
  }
  backend.end_application(0, {});  // whatever becomes of it is its job's end
  if (interrupted() || result.status == JobStatus::kCanceled) {
    tell("canceled");
    return exit_code::kCanceled;
  }
  if (result.failure) tell(JobFailed(result.job_name, *result.failure).what(), line.verbose);
  return result.succeeded() ? exit_code::kDone : exit_code::kFailed;
}

// Offered nowhere, but the executor of that name is found.
void refuse_target_on_cluster(const Configuration& configuration) {
  if (configuration.get(options::kExecutionTarget) != kTargetOnCluster) return;
  throw InvalidInput("no " + asked_target(configuration) +
                     " can be asked for: it is what a main has that runs on a cluster: take "
                     "standalone, for a cluster of its own, or standalone-session, for one that "
                     "runs");
}

// A session runs already: what belongs to its processes would be dropped without a word. Files and
// the environment may be meant for other clusters, too.
void refuse_options_of_a_cluster(const Configuration& configuration) {
  const Configuration of_cluster = configuration.of_scope(Scope::kCluster);
  for (const auto& [key, entry] : of_cluster.to_entries()) {
    if (entry.origin.kind != Origin::Kind::kCommandLine) continue;
    const std::string target = configuration.get(options::kExecutionTarget);
    throw InvalidInput("option '" + key + "' (" + entry.text +
                       ") belongs to a cluster, and that of target '" + target +
                       "' runs already: give it to 'fr cluster start', or leave it out");
  }
}

// A cluster for one application is brought up with it, and its main runs there.
void refuse_main_in_client(const Configuration& configuration) {
  const auto entry = configuration.lookup(options::kExecutionMain.info());
  if (!entry || entry->origin.kind != Origin::Kind::kCommandLine ||
      configuration.get(options::kExecutionMain) != MainLocation::kClient)
    return;
  throw InvalidInput("execution.main=client can't be had with " + asked_target(configuration) +
                     ": main runs on the cluster that is brought up for it: leave it out, or take "
                     "--target=" +
                     Target::of(configuration).session().text() +
                     ", for a cluster that runs already");
}

// Where main runs in this process, fr-run stays until it has ended; and 'local' uses no cluster.
// Files and the environment may be meant for other runs.
void refuse_options_of_clusters(const Configuration& configuration, bool main_in_client) {
  const std::string target =
      main_in_client ? "with execution.main=client" : "with " + asked_target(configuration);
  const auto refuse = [&](const std::string& flag, const std::string& why) {
    throw InvalidInput(flag + " can't be had " + target + ": " + why +
                       ": leave it out, or take a cluster: --target=standalone or "
                       "--target=standalone-session");
  };
  const auto is_given = [&](const auto& option, const std::string& by = {}) {
    const auto entry = configuration.lookup(option.info());
    return entry && entry->origin.kind == Origin::Kind::kCommandLine &&
           (by.empty() || entry->origin.where == by);
  };
  if (is_given(options::kClientAttached) && !configuration.get(options::kClientAttached))
    refuse("-d (client.attached=false)", "main runs in this process, which stays until it ends");
  if (main_in_client) return;
  const std::string none = "it uses no cluster";
  if (is_given(options::kExecutionMain) &&
      configuration.get(options::kExecutionMain) == MainLocation::kCluster)
    refuse("execution.main=cluster", none);
  if (is_given(options::kClusterId)) refuse("--cluster-id (cluster.id)", none);
  if (is_given(options::kClientTimeout, "--wait-for-cluster")) refuse("--wait-for-cluster", none);
}

// Main runs here, its jobs on a cluster: it is told so, and the first Ctrl-C cancels them.
// Returns that cluster.
std::shared_ptr<ClusterClient> begin_here(InProcessBackend& backend,
                                          const Configuration& configuration,
                                          const CommandLine& line) {
  if (line.wait_for_cluster) static_cast<void>(find_cluster(configuration, true));
  backend.begin_application(configuration,
                            std::filesystem::path(line.application).filename().native());
  auto cluster = backend.cluster(configuration);
  set_interrupt_handler([cluster, &backend] {
    std::fprintf(stderr,
                 "fr-run: canceling the jobs on cluster '%s' (once more to leave at once)\n",
                 cluster->cluster_id().c_str());
    static_cast<void>(cluster->cancel_application(backend.application_id()));
  });
  return cluster;
}

// `cluster`: where the jobs of main go, if main runs here and they do not.
int run_here(const CommandLine& line, InProcessBackend& backend, Configuration& configuration,
             ConfigurationWarnings& warnings, ClusterClient* cluster) {
  if (may_be_a_pipeline(line.application))
    return run_pipeline(line, backend, configuration, warnings);
  const ModuleStore store(ModuleStore::default_state_folder());
  const std::vector<std::filesystem::path> shipped(line.shipped.begin(), line.shipped.end());
  const LoadedApplication application = load_application(store, line.application, shipped);
  adopt_new_options(configuration, process_environment());
  warnings.tell_all();
  backend.set_configuration(configuration);

  return run_main_here(SystemClock::instance(), application,
                       {line.application, line.arguments, line.verbose, cluster}, configuration);
}

// fr-run alone does so: an executor is never asked without a target.
void default_to_local(Configuration& configuration) {
  if (configuration.contains(options::kExecutionTarget)) return;
  configuration.set_raw(options::kExecutionTarget.key(), kLocalTarget,
                        Origin{Origin::Kind::kDefault, "fr-run, where no target is set"});
  if (::isatty(STDERR_FILENO) != 0)
    tell("no target is set: this runs here, as with --target=local (fr-run --help)");
}

int run(const CommandLine& line) {
  InProcessBackend& backend = InProcessBackend::instance();
  Configuration configuration =
      gathered_configuration({line.configuration_file, line.flags, process_environment()});
  ConfigurationWarnings warnings(configuration);
  configuration.validate();
  default_to_local(configuration);
  refuse_target_on_cluster(configuration);
  // The standard output is the job's.
  spdlog::set_default_logger(spdlog::stderr_color_mt("freshet"));
  spdlog::set_level(line.verbose ? spdlog::level::debug
                                 : severity(configuration.get(options::kLogLevel)));
  backend.set_configuration(configuration);
  std::vector<std::string> skipped;
  const bool on_cluster = is_cluster_target(backend.catalog(), configuration, skipped);
  const bool session = Target::of(configuration).is_session;
  // The executor of sessions would take the jobs of any: which deployer finds it, or why none does.
  if (session && !on_cluster) static_cast<void>(select_deployer(backend.catalog(), configuration));
  if (session) refuse_options_of_a_cluster(configuration);
  if (on_cluster && !session) refuse_main_in_client(configuration);
  const bool main_in_client =
      session && configuration.get(options::kExecutionMain) == MainLocation::kClient;
  if (on_cluster && !main_in_client) {
    warnings.tell_all();
    return run_on_cluster(
        SystemClock::instance(),
        {line.application, line.shipped, line.arguments, line.wait_for_cluster, line.verbose},
        configuration, backend.catalog());
  }
  for (const std::string& warning : skipped) tell("warning: " + warning);
  // Found out before any code of the application runs.
  static_cast<void>(select_executor(backend.catalog(), configuration));
  refuse_options_of_clusters(configuration, main_in_client);
  refuse_urls(line.application, line.shipped);
  if (!main_in_client) return run_here(line, backend, configuration, warnings, nullptr);
  const auto cluster = begin_here(backend, configuration, line);
  try {
    return run_here(line, backend, configuration, warnings, cluster.get());
  } catch (const std::exception& error) {
    backend.end_application(exit_code::kRefusedInput,
                            {false, false, std::string("main could not begin: ") + error.what()});
    throw;
  }
}

}  // namespace
}  // namespace freshet::tool

int main(int argc, char** argv) {
  using namespace freshet::tool;
  make_standard_streams_block();
  CommandLine line;
  if (const auto code = read(argc, argv, line)) return code_with_output(*code);
  if (!line.warning.empty()) tell("warning: " + line.warning);
  watch_interrupts(freshet::core::SystemClock::instance());
  freshet::core::report_crashes();
  if (line.verbose) freshet::core::report_all_threads();
  int code = exit_code::kRefusedInput;
  try {
    code = run(line);
  } catch (const freshet::core::JobManagerCantStart& error) {
    // Not kNoCluster: the job manager refuses what it was given.
    tell(error.what(), line.verbose);
  } catch (const freshet::ClusterUnreachable& error) {
    tell(error.what(), line.verbose);
    code = exit_code::kNoCluster;
  } catch (const std::exception& error) {
    tell(error.what(), line.verbose);
  }
  return code_with_output(code);
}
