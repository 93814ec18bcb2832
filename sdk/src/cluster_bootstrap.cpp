#include "freshet/cluster_bootstrap.h"

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "freshet/error.h"
#include "freshet/options.h"

namespace freshet {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kKeyCharacters = 40;

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What is handed over, field by field. No message shows a value that may be a secret.
class HandedFields {
 public:
  // `writer`: the function that makes such a text.
  HandedFields(const std::string& text, const char* writer) : writer_(writer) {
    if (text.empty()) refuse("it is empty, not a JSON object");
    try {
      fields_ = Json::parse(text);
    } catch (const Json::parse_error& error) {
      // Its own words show what was read last.
      refuse("it is not JSON: byte " + std::to_string(error.byte) + " of " +
             std::to_string(text.size()) + " can't be read");
    }
    if (!fields_.is_object())
      refuse(std::string("it is JSON of type ") + fields_.type_name() + ", not an object");
    check_version();
  }

  std::string key(const char* name) const {
    const Json& field = needed(name);
    check_key(name, field);
    return field.get<std::string>();
  }

  std::vector<std::string> keys(const char* name) const {
    const Json& field = needed(name);
    check_type(name, field, Json::value_t::array);
    for (std::size_t i = 0; i < field.size(); ++i)
      check_key(std::string(name) + "[" + std::to_string(i) + "]", field[i]);
    return field.get<std::vector<std::string>>();
  }

  ClusterSettings settings() const {
    const auto field = fields_.find("settings");
    if (field == fields_.end()) return {};
    check_type("settings", *field, Json::value_t::object);
    for (const auto& [key, value] : field->items())
      check_type("settings." + key, value, Json::value_t::string);
    return field->get<ClusterSettings>();
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw InvalidInput("--inherited: what descriptor 3 holds can't be used: " + what +
                       ": hand over the text of " + writer_ + " (freshet/cluster_bootstrap.h)");
  }

  static const char* name_of_type(Json::value_t type) {
    return type == Json::value_t::string   ? "a string"
           : type == Json::value_t::array  ? "an array"
           : type == Json::value_t::object ? "an object"
                                           : "a whole number";
  }

  void check_type(const std::string& name, const Json& field, Json::value_t type) const {
    if (field.type() != type)
      refuse("field '" + name + "' is of type " + field.type_name() + ", not " +
             name_of_type(type));
  }

  void check_key(const std::string& name, const Json& field) const {
    check_type(name, field, Json::value_t::string);
    const std::size_t length = field.get_ref<const std::string&>().size();
    if (length != kKeyCharacters)
      refuse("field '" + name + "' has " + std::to_string(length) + " characters, not " +
             std::to_string(kKeyCharacters) + " as DeployerServices::make_key_pair() makes them");
  }

  const Json& needed(const char* name) const {
    const auto field = fields_.find(name);
    if (field == fields_.end()) refuse(std::string("field '") + name + "' is missing");
    return *field;
  }

  void check_version() const {
    const auto field = fields_.find("version");
    if (field == fields_.end()) return;
    if (!field->is_number_integer()) check_type("version", *field, Json::value_t::number_integer);
    if (*field != kVersion)
      refuse("field 'version' is " + field->dump() + ", and this fr (" + FRESHET_VERSION_STRING +
             ") reads " + std::to_string(kVersion) +
             ": start the fr of the Freshet that the deployer was built for, or build the deployer "
             "for this one");
  }

  const char* const writer_;
  Json fields_;
};

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

// Throws InvalidInput: the processes of a cluster are handed JSON, which holds UTF-8 alone.
void check_text(const std::string& key, const Configuration::Entry& entry) {
  if (is_utf8(entry.text)) return;
  std::string shown;
  for (const char byte : entry.text) {
    const auto code = static_cast<unsigned char>(byte);
    shown += code >= ' ' && code < 0x7f ? byte : '?';
  }
  throw InvalidInput("option '" + key + "' ('" + shown + "', " + entry.origin.text() +
                     ") can't be given to the processes of a cluster: it is not UTF-8; choose "
                     "another value or rename the file");
}

std::string drawn_id(const std::string& deployer) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string id = deployer + "-";
  for (int i = 0; i < 8; ++i) id += kDigits[random() % 16];
  return id;
}

std::string detail_of(const ClusterRecord& record, const char* name) {
  const auto found = record.details.find(name);
  return found == record.details.end() ? std::string() : found->second;
}

}  // namespace

const char* name_of(ClusterMode mode) {
  return mode == ClusterMode::kSession ? "session" : "application";
}

std::optional<ClusterMode> cluster_mode_of(const std::string& name) {
  for (const ClusterMode mode : {ClusterMode::kSession, ClusterMode::kApplication})
    if (name == name_of(mode)) return mode;
  return std::nullopt;
}

ClusterSettings cluster_settings(const Configuration& configuration) {
  ClusterSettings settings;
  const auto add = [&](const std::string& key, const Configuration::Entry& entry) {
    check_text(key, entry);
    settings[key] = entry.text;
  };
  const Configuration of_cluster = configuration.of_scope(Scope::kCluster);
  for (const auto& [key, entry] : of_cluster.to_entries()) add(key, entry);
  // The high-availability plugin is not loaded here: its options are known by the name that they
  // begin with.
  const std::string service = configuration.get(options::kHighAvailabilityType) + ".";
  const auto& all = configuration.to_entries();
  for (const auto& [key, entry] : all)
    if (key.starts_with(service)) add(key, entry);
  const std::string plugins = options::kPluginDirs.key();
  if (const auto found = all.find(plugins); found != all.end()) add(plugins, found->second);
  return settings;
}

std::string JobManagerHandOver::to_text() const {
  return json_text({{"version", kVersion},
                    {"secret_key", secret_key},
                    {"clients", clients},
                    {"settings", settings}});
}

JobManagerHandOver JobManagerHandOver::from_text(const std::string& text) {
  const HandedFields fields(text, "JobManagerHandOver::to_text()");
  return {fields.key("secret_key"), fields.keys("clients"), fields.settings()};
}

std::string TaskManagerHandOver::to_text() const {
  return json_text({{"version", kVersion}, {"settings", settings}});
}

TaskManagerHandOver TaskManagerHandOver::from_text(const std::string& text) {
  return {HandedFields(text, "TaskManagerHandOver::to_text()").settings()};
}

ClusterBootstrap plan_cluster(DeployerServices& services, const std::string& deployer,
                              ClusterMode mode, const Configuration& configuration) {
  ClusterBootstrap cluster;
  ClusterRecord& record = cluster.record;
  record.cluster_id = configuration.find(options::kClusterId).value_or(drawn_id(deployer));
  for (const ClusterRecord& known : services.records()) {
    if (known.cluster_id == record.cluster_id)
      throw InvalidInput("cluster '" + record.cluster_id +
                         "' is there already: choose another cluster.id, or end that one by 'fr "
                         "cluster stop --cluster-id=" +
                         record.cluster_id + "'");
  }
  const ClusterSettings settings = cluster_settings(configuration);
  const auto [manager_public, manager_secret] = services.make_key_pair();
  const auto [client_public, client_secret] = services.make_key_pair();
  record.deployer = deployer;
  record.public_key = manager_public;
  record.client_key = client_secret;
  record.since_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  ClusterFacts::set_mode(record, mode);
  ClusterFacts::set_settings(record, settings);
  cluster.job_manager = {"jobmanager",
                         {services.program(), "jobmanager", "--cluster-id=" + record.cluster_id,
                          std::string("--mode=") + name_of(mode), "--inherited"},
                         JobManagerHandOver{manager_secret, {client_public}, settings}.to_text()};
  return cluster;
}

ClusterProcess task_manager(const DeployerServices& services, const ClusterRecord& record,
                            const std::string& name) {
  return {name,
          {services.program(), "taskmanager", "--cluster-id=" + record.cluster_id, "--name=" + name,
           "--inherited"},
          TaskManagerHandOver{ClusterFacts::settings(record)}.to_text()};
}

std::optional<ClusterMode> ClusterFacts::mode(const ClusterRecord& record) {
  return cluster_mode_of(detail_of(record, kMode));
}

ClusterSettings ClusterFacts::settings(const ClusterRecord& record) {
  const std::string text = detail_of(record, kSettings);
  if (text.empty()) return {};
  try {
    return Json::parse(text).get<ClusterSettings>();
  } catch (const Json::exception&) {
    throw InvalidInput("the record of cluster '" + record.cluster_id + "' has the detail '" +
                       kSettings + "' " + text.substr(0, 200) +
                       ", not a JSON object of strings: end the cluster by 'fr cluster stop "
                       "--cluster-id=" +
                       record.cluster_id + "' and start another");
  }
}

std::int64_t ClusterFacts::job_manager(const ClusterRecord& record) {
  return std::strtoll(detail_of(record, kJobManager).c_str(), nullptr, 10);
}

std::string ClusterFacts::high_availability(const ClusterRecord& record) {
  return detail_of(record, kHighAvailability);
}

void ClusterFacts::set_mode(ClusterRecord& record, ClusterMode mode) {
  record.details[kMode] = name_of(mode);
}

void ClusterFacts::set_settings(ClusterRecord& record, const ClusterSettings& settings) {
  record.details[kSettings] = json_text(settings);
}

void ClusterFacts::set_job_manager(ClusterRecord& record, std::int64_t process) {
  record.details[kJobManager] = std::to_string(process);
}

void ClusterFacts::set_high_availability(ClusterRecord& record, const std::string& service) {
  record.details[kHighAvailability] = service;
}

}  // namespace freshet
