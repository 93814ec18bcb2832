// fr runner: runs the main of one application on a cluster. Started by a job manager, which reads
// how main ended from the exit code and the last line (process/main_end.h).
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>

#include "client/cluster_connection.h"
#include "client/in_process_backend.h"
#include "cluster/daemon.h"
#include "command.h"
#include "configuration/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "modules/application.h"
#include "plugin_catalog/factory_selection.h"
#include "process/child_starts.h"
#include "process/event_descriptors.h"
#include "process/main_end.h"

namespace freshet::tool {
namespace {

constexpr std::int64_t kPatienceMs = 30'000;

// Main may close its own standard streams.
class LastWord {
 public:
  LastWord() : copy_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100)) {}
  void say(const std::string& reason) const {
    std::fflush(nullptr);
    const std::string line = last_line_of_main(reason);
    static_cast<void>(::write(copy_, line.data(), line.size()) ==
                      static_cast<ssize_t>(line.size()));
  }

 private:
  const int copy_;
};

// A main that has closed all descriptors, which the runtime's threads wake each other by, can't be
// said goodbye for: it would be waited for for ever. Its process ends, which its job manager sees.
std::optional<EventDescriptors> runtime_wakes;

void end_at_once_if_deaf(int code, void*) {
  if (!runtime_wakes || runtime_wakes->are_open()) return;
  std::fflush(nullptr);
  ::_exit(code);
}

// Main's relative paths mean what they mean to whoever has submitted it, as far as they can.
void enter_working_folder(const Configuration& configuration) {
  const auto folder = configuration.find(options::kApplicationWorkingFolder);
  if (!folder || ::chdir(folder->c_str()) == 0) return;
  const std::string why = std::strerror(errno);
  std::error_code unknown;
  spdlog::warn("main works in '{}', since '{}' (application.working-folder) can't be entered: {}",
               std::filesystem::current_path(unknown).native(), *folder, why);
}

int outcome(const MainResult& main, const LastWord& last_word) {
  const std::string words = words_of(main);
  if (!words.empty()) last_word.say(words);
  return exit_code_of(main);
}

int run() {
  const std::string given = take_start();
  const LastWord last_word;
  try {
    const RunnerStart start = read_runner_start(given);
    show_last_argument_as(start.name);
    Configuration configuration = child_configuration(start.settings);
    configuration.set(options::kExecutionTarget, kTargetOnCluster,
                      Origin::command_line("the cluster"));
    configuration.set(options::kClusterId, start.cluster_id, Origin::command_line("the cluster"));
    log_to_standard_error(configuration);
    enter_working_folder(configuration);
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
    std::future<std::unique_ptr<ClusterClient>> cluster =
        std::async(std::launch::async, [&] { return connect_to_cluster(connection); });
    const LoadedApplication application =
        load_placed_application(start.folder, start.main, start.shipped);
    backend.set_cluster(cluster.get(), start.application_id);
    adopt_new_options(configuration, process_environment());
    for (const std::string& warning : configuration_warnings(configuration, process_environment()))
      spdlog::warn("{}", warning);
    backend.set_configuration(configuration);
    runtime_wakes.emplace();
    ::on_exit(end_at_once_if_deaf, nullptr);
    const MainResult main = run_main(application, start.main, start.arguments);
    if (!runtime_wakes->are_open()) end_at_once_if_deaf(outcome(main, last_word), nullptr);
    backend.wait_for_submissions();
    const int code = outcome(main, last_word);
    runtime_wakes.reset();  // closed in order from here on
    backend.set_cluster(nullptr, start.application_id);
    return code;
  } catch (const Error& error) {
    last_word.say(std::string("could not begin: ") + error.what());
    return kMainRefused;
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
