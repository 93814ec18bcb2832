#include "cluster/daemon.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client/cluster_node.h"
#include "clock/clock.h"
#include "configuration/configuration.h"
#include "configuration_warnings.h"
#include "control/id_source.h"
#include "crash/crash_handler.h"
#include "exits.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "network/endpoint.h"
#include "posix/descriptor_limit.h"
#include "process/control_group.h"
#include "process/started_process.h"
#include "process/template_process.h"

namespace freshet::tool {
using namespace core;
namespace {

class RolledSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit RolledSink(std::shared_ptr<RolledLog> log) : log_(std::move(log)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    log_->append({line.data(), line.size()});
  }
  void flush_() override {}

  const std::shared_ptr<RolledLog> log_;
};

// A cluster's own log tells what happened unless it was told otherwise.
void set_level(spdlog::logger& logger, const Configuration& configuration) {
  const LogLevel level = configuration.find(options::kLogLevel).value_or(LogLevel::kInfo);
  logger.set_level(static_cast<spdlog::level::level_enum>(level));
}
static_assert(static_cast<int>(LogLevel::kTrace) == SPDLOG_LEVEL_TRACE &&
              static_cast<int>(LogLevel::kError) == SPDLOG_LEVEL_ERROR);

}  // namespace

void DaemonWords::add_to(CLI::App& command) {
  command.add_option("--cluster-id", cluster_id, "which cluster (cluster.id)");
  command.add_option("--config", configuration_file, "the configuration file");
  command.add_option("-D", definitions, "key=value: any option of cluster scope")
      ->allow_extra_args(false);
  command.add_flag("--inherited", inherited,
                   "keys and settings stand at descriptor 3: for deployers");
}

Configuration daemon_configuration(const DaemonWords& words, const ClusterSettings& handed) {
  ConfigurationSources sources;
  sources.file = words.configuration_file;
  sources.environment = process_environment();
  for (const auto& [key, text] : handed) sources.flags.push_back({key, text, "deployment"});
  for (const std::string& definition : words.definitions)
    sources.flags.push_back(parse_definition(definition));
  Configuration configuration = gathered_configuration(sources);
  // What a deployer starts has the settings of a client that has printed them. A daemon loads no
  // plugin for the sake of a warning.
  if (!words.inherited) ConfigurationWarnings(configuration, OptionsIn::kThisProcess).print();
  configuration.validate();
  return configuration;
}

Configuration child_configuration(const std::map<std::string, std::string>& settings) {
  Configuration configuration;
  for (const auto& [key, text] : settings)
    configuration.set_raw(key, text, Origin::command_line("the submission"));
  return configuration;
}

std::map<std::string, std::string> settings_of_cluster(const Configuration& configuration) {
  std::map<std::string, std::string> settings;
  const Configuration of_cluster = configuration.of_scope(Scope::kCluster);
  // Those of a high-availability service are for job managers alone, where it is loaded.
  const std::string service = configuration.get(options::kHighAvailabilityType) + ".";
  for (const auto& [key, entry] : of_cluster.to_entries()) {
    if (key.rfind(service, 0) != 0) settings[key] = entry.text;
  }
  if (const auto plugins = configuration.lookup(options::kPluginDirs.info()))
    settings[options::kPluginDirs.key()] = plugins->text;
  return settings;
}

LinkOptions link_options(const Configuration& configuration) {
  LinkOptions links;
  links.heartbeat_interval_ms = configuration.get(options::kHeartbeatInterval).ms();
  links.heartbeat_timeout_ms = configuration.get(options::kHeartbeatTimeout).ms();
  if (links.heartbeat_timeout_ms <= links.heartbeat_interval_ms) {
    throw InvalidInput(
        "heartbeat.timeout " +
        ConfigValue<Duration>::format(configuration.get(options::kHeartbeatTimeout)) +
        " is not above heartbeat.interval " +
        ConfigValue<Duration>::format(configuration.get(options::kHeartbeatInterval)) +
        ": every process would be taken for lost: raise the timeout, to three "
        "intervals at least");
  }
  return links;
}

std::string job_manager_bind(const Configuration& configuration) {
  std::string text = configuration.get(options::kJobmanagerBind);
  if (!text.starts_with("tcp://")) {
    throw InvalidInput(options::kJobmanagerBind.key() + ": '" + text +
                       "' is no address of tcp: a socket of another kind has no keys and would let "
                       "in whoever reaches it: write tcp://host:port, with * for a port that is "
                       "free");
  }
  try {
    static_cast<void>(parse_endpoint(text));
  } catch (const InvalidInput& error) {
    throw InvalidInput(options::kJobmanagerBind.key() + ": " + error.what());
  }
  return text;
}

namespace {

// As an address of IPv6 has colons, too, a port is what follows the only one.
bool is_host_alone(const std::string& text) {
  return !text.empty() && std::count(text.begin(), text.end(), ':') != 1 &&
         text.find_first_of("/ \t\n") == std::string::npos;
}

}  // namespace

std::string task_manager_bind(const Configuration& configuration) {
  std::string text = configuration.get(options::kTaskmanagerBind);
  if (!is_host_alone(text)) {
    throw InvalidInput(options::kTaskmanagerBind.key() + ": '" + text +
                       "' is no host: workers listen there by tcp, each at a port that is free: "
                       "write a name or an address alone, such as 127.0.0.1");
  }
  return text;
}

std::string told_host(const Configuration& configuration, const ConfigOption<std::string>& option) {
  const auto text = configuration.find(option);
  if (!text) return {};
  if (!is_host_alone(*text)) {
    throw InvalidInput(option.key() + ": '" + *text +
                       "' is no host: others are told it with the port that the process has bound: "
                       "write a name or an address alone, such as 192.0.2.7");
  }
  return *text;
}

std::uint32_t task_manager_slots(const Configuration& configuration) {
  const std::int32_t slots = configuration.get(options::kTaskmanagerSlots);
  return slots > 0 ? static_cast<std::uint32_t>(slots)
                   : std::max(1U, std::thread::hardware_concurrency());
}

ChildProcessesOptions child_options(const Configuration& configuration, const std::string& logs,
                                    const ConfigOption<MemorySize>& memory) {
  ChildProcessesOptions options;
  options.log_folder = logs;
  options.log_bytes = configuration.get(options::kLogMaxSize).bytes();
  options.memory = {configuration.get(memory), memory.key()};
  return options;
}

std::int64_t blob_max_idle_ms(const Configuration& configuration) {
  return std::min(configuration.get(options::kBlobMaxIdle), days(36'500)).ms();
}

std::shared_ptr<RolledLog> open_log(const Configuration& configuration, const std::string& folder,
                                    const std::string& name, bool whole) {
  auto log =
      std::make_shared<RolledLog>(folder, name, configuration.get(options::kLogMaxSize).bytes());
  if (whole) log->take_standard_streams();
  std::vector<spdlog::sink_ptr> sinks{std::make_shared<RolledSink>(log)};
  if (!whole) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const auto logger = std::make_shared<spdlog::logger>("freshet", sinks.begin(), sinks.end());
  set_level(*logger, configuration);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l  %v");
  spdlog::set_default_logger(logger);
  return log;
}

void log_to_standard_error(const Configuration& configuration) {
  const auto logger = std::make_shared<spdlog::logger>(
      "freshet", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  set_level(*logger, configuration);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l  %v");
  spdlog::set_default_logger(logger);
}

void enter_working_folder(const Configuration& configuration, const char* who_works) {
  const auto folder = configuration.find(options::kApplicationWorkingFolder);
  if (!folder || ::chdir(folder->c_str()) == 0) return;
  const std::string why = std::strerror(errno);
  std::error_code unknown;
  spdlog::warn("{} in '{}', because '{}' (application.working-folder) can't be entered: {}",
               who_works, std::filesystem::current_path(unknown).native(), *folder, why);
}

std::string take_start() {
  raise_descriptor_limit();
  end_group_with_parent();
  Descriptor file;
  if (!is_template()) {
    std::string inherited = take_inherited(&file);
    leave_crash_report_in(file);
    return inherited;
  }
  // What the first use of a library costs: ZeroMQ asks for the number of a protocol, which loads
  // more libraries.
  static_cast<void>(ClusterNode{SystemClock::instance(), make_key_pair()});
  std::string inherited = serve_as_template(&file);
  leave_crash_report_in(file);
  end_group_with_parent();  // its own
  return inherited;
}

EndSignals::EndSignals() {
  CaughtSignals::begin();
  static_cast<void>(CaughtSignals::descriptor());
}

void EndSignals::stop() {
  stopping_ = true;
  CaughtSignals::wake();
  if (thread_.joinable()) thread_.join();
}

EndSignals::~EndSignals() { stop(); }

void EndSignals::on_first(std::function<void(const std::string& why)> first) {
  thread_ = std::thread([this, first = std::move(first)] {
    bool seen = false;
    while (!stopping_) {
      const int signal = CaughtSignals::wait();
      if (signal == 0) continue;
      if (seen) leave_at_once(128 + signal);
      seen = true;
      first(std::string("signal ") + ::sigdescr_np(signal));
    }
  });
}

std::string new_incarnation() { return RandomIds().draw(); }

}  // namespace freshet::tool
