// fr runner: runs the main of one application on a cluster. Started by a job manager, which reads
// how main ended from its exit code and from what this process says of it (process/main_end.h).
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <memory>
#include <optional>

#include "backend/in_process_backend.h"
#include "client/cluster_connection.h"
#include "clock/clock.h"
#include "cluster/daemon.h"
#include "command.h"
#include "configuration/configuration.h"
#include "crash/crash_handler.h"
#include "exit_code/exit_code.h"
#include "exits.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "messages/child_starts.h"
#include "modules/application.h"
#include "posix/event_descriptors.h"
#include "process/main_end.h"
#include "process/own_account.h"
#include "selection/factory_selection.h"
#include "selection/front_end_selection.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kPatienceMs = 30'000;

const OwnAccount* own_account = nullptr;

// A main that has closed all descriptors, which the runtime's threads wake each other by, can't be
// said goodbye for: it would be waited for for ever. Its process ends, which its job manager sees.
std::optional<EventDescriptors> runtime_wakes;

// libzmq aborts in its own threads once it finds its descriptors closed. They stand still, so that
// main comes to its own end.
bool is_deaf_beside_main() {
  return ::gettid() != ::getpid() && runtime_wakes && !runtime_wakes->are_open();
}

void end_at_once_if_deaf(int code, void*) {
  if (!runtime_wakes || runtime_wakes->are_open()) return;
  std::fflush(nullptr);
  ::_exit(code);
}

// Main has left by a return or by exit(), which is the same: what it has submitted is submitted.
// Returns the exit code.
int end_of_main(const MainResult& main) {
  own_account->give(words_of(main));
  end_at_once_if_deaf(exit_code_of(main), nullptr);
  InProcessBackend::instance().wait_for_submissions();
  return exit_code_of(main);
}

// A file that is no application: the front end for it makes the one job. Errors name the file as
// its owner knows it.
MainResult submit_pipeline(InProcessBackend& backend, const Configuration& configuration,
                           const RunnerStart& start) {
  const std::string folder = start.folder + "/";
  try {
    const std::string path = folder + start.main;
    const SelectedFrontEnd selected = select_front_end(backend.catalog(), path);
    for (const std::string& warning : selected.warnings) spdlog::warn("{}", warning);
    const auto pipeline = selected.front_end.read(path, start.arguments);
    static_cast<void>(backend.execute(*pipeline, configuration).get());
    return {};
  } catch (const InvalidInput& refused) {
    std::string text = refused.what();
    for (std::size_t at = 0; (at = text.find(folder, at)) != std::string::npos;)
      text.erase(at, folder.size());
    return {FRESHET_MAIN_REFUSED, 0, std::move(text)};
  }
}

int run() {
  const std::string given = take_start();
  static const OwnAccount account;  // exit() in main does not come back
  own_account = &account;
  try {
    const RunnerStart start = read_runner_start(given);
    show_last_argument_as(start.name);
    Configuration configuration = child_configuration(start.settings);
    configuration.set(options::kExecutionTarget, kTargetOnCluster,
                      Origin::command_line("the cluster"));
    configuration.set(options::kClusterId, start.cluster_id, Origin::command_line("the cluster"));
    log_to_standard_error(configuration);
    enter_working_folder(configuration, "main works");
    InProcessBackend& backend = InProcessBackend::instance();
    backend.set_configuration(configuration);

    ClusterConnection connection;
    connection.cluster_id = start.cluster_id;
    connection.job_manager = [address = start.job_manager] { return address; };
    connection.secret_key = start.secret_key;
    connection.patience_ms = kPatienceMs;
    connection.role = Role::kRunner;
    connection.name = "main of '" + start.name + "' (" + start.application_id + ")";
    // Both take milliseconds, of different processors.
    auto cluster = std::async(std::launch::async, [&] {
      return connect_to_cluster(SystemClock::instance(), connection);
    });
    const bool is_pipeline = may_be_a_pipeline(start.folder + "/" + start.main);
    std::optional<LoadedApplication> application;
    if (!is_pipeline)
      application.emplace(load_placed_application(start.folder, start.main, start.shipped));
    backend.set_cluster(cluster.get(), start.application_id);
    adopt_new_options(configuration, process_environment());
    for (const std::string& warning : configuration_warnings(configuration, process_environment()))
      spdlog::warn("{}", warning);
    backend.set_configuration(configuration);
    runtime_wakes.emplace();
    let_aborts_wait_while(is_deaf_beside_main);
    ::on_exit(end_at_once_if_deaf, nullptr);
    set_exit_of_main([](int code) { return end_of_main({FRESHET_MAIN_RETURNED, code, {}}); });
    const MainResult main = is_pipeline ? submit_pipeline(backend, configuration, start)
                                        : run_main(*application, start.main, start.arguments);
    set_exit_of_main(nullptr);
    const int code = end_of_main(main);
    let_aborts_wait_while(nullptr);
    runtime_wakes.reset();  // closed in order from here on
    backend.set_cluster(nullptr, start.application_id);
    return code;
  } catch (const Error& error) {
    account.give(std::string("could not begin: ") + error.what());
    return exit_code::kRefusedInput;
  }
}

const Command kRunner("runner", "", [](CLI::App& command) {
  command.group("");  // not for people
  const auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "of the application, for those who list processes");
  return [name] { return run(); };
});

}  // namespace
}  // namespace freshet::tool
