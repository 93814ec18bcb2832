#include "cluster/client_words.h"

#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "bounds/failure_text.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "shown_text.h"

namespace freshet::tool {
using namespace core;
namespace {

using Json = nlohmann::ordered_json;

std::string time_of(std::int64_t ms) {
  if (ms == 0) return "-";
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace

void ClientWords::add_to(CLI::App& command) {
  flags.add_to(command);
  command.add_option("--cluster-id", cluster_id,
                     "which cluster (cluster.id); else the only one there is");
  command.add_option("--wait-for-cluster", wait,
                     "wait so long for a cluster, such as '60 s' (client.timeout)");
  command.add_flag("--json", json, "for programs");
}

Configuration ClientWords::load() const {
  Configuration configuration = flags.load();
  if (!cluster_id.empty())
    configuration.set(options::kClusterId, cluster_id, Origin::command_line("--cluster-id"));
  if (!wait.empty()) {
    configuration.set_raw(options::kClientTimeout.key(), wait,
                          Origin::command_line("--wait-for-cluster"));
    static_cast<void>(configuration.get(options::kClientTimeout));
  }
  return configuration;
}

std::unique_ptr<ClusterClient> ClientWords::connect() const {
  const Configuration configuration = load();
  return connect_to(find_cluster(configuration, !wait.empty()), configuration);
}

int with_cluster(const std::function<int()>& run) {
  try {
    return run();
  } catch (const JobManagerCantStart& error) {
    std::fprintf(stderr, "fr: %s\n", shown_text(error.what()).c_str());
    return exit_code::kRefusedInput;
  } catch (const ClusterUnreachable& error) {
    std::fprintf(stderr, "fr: %s\n", shown_text(error.what()).c_str());
    return exit_code::kNoCluster;
  }
}

void print_json(const Json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

std::string shown_failure(const std::string& text, const std::string& indent, Failures failures) {
  const FailureText failure = FailureText::split(text);
  switch (failures) {
    case Failures::kFirstLines: {
      constexpr int kMostLines = 3;
      std::size_t end = failure.text.find('\n');
      for (int line = 1; line < kMostLines && end != std::string::npos; ++line)
        end = failure.text.find('\n', end + 1);
      const bool has_more = failure.text.find_first_not_of('\n', end) != std::string::npos;
      return shown_text(failure.text.substr(0, end), indent) +
             (!failure.threads.empty() ? "\n" + indent + "... (all of it: fr status -v ID)"
              : has_more               ? "\n" + indent + "... (all of it: fr status ID)"
                                       : "");
    }
    case Failures::kUsual:
      return shown_text(failure.text, indent) +
             (failure.threads.empty() ? "" : "\n" + indent + "(the stacks of all threads: -v)");
    case Failures::kWhole:
      return shown_text(failure.text + failure.threads, indent);
  }
  return {};
}

std::string text_of(const JobInfo& job, Failures failures) {
  std::string text = "  job " + job.job_id + "  " + name_of(job.status) + "  " +
                     shown_text(job.job_name) + "  since " + time_of(job.since_ms);
  if (!job.detail.empty()) text += "\n      " + shown_failure(job.detail, "      ", failures);
  return text + "\n";
}

std::string text_of(const JobDetails& details) {
  std::string text;
  for (const VertexDetails& vertex : details.vertices) {
    text += "    " + shown_text(vertex.name) + "  parallelism " +
            std::to_string(vertex.parallelism) + ", " + std::to_string(vertex.records_in) +
            " records in, " + std::to_string(vertex.records_out) + " out\n";
    for (const auto& [name, value] : vertex.metrics)
      text += "      " + shown_text(name) + ": " + value.text() + "\n";
    // How many of its subtasks are in which state, and where.
    std::map<std::string, std::size_t> places;
    for (const SubtaskDetails& each : details.subtasks) {
      if (each.vertex_id == vertex.id)
        ++places[each.state + (each.host.empty() ? "" : " on " + shown_text(each.host))];
    }
    for (const auto& [place, count] : places)
      text += "      " + std::to_string(count) + " " + place + "\n";
  }
  return text;
}

std::string text_of(const AccumulatorValues& accumulators) {
  std::string text;
  for (const auto& [name, value] : accumulators)
    text += "    " + shown_text(name) + ": " + value.text() + "\n";
  return text;
}

std::string text_of(const ApplicationInfo& application, Failures failures) {
  std::string text = application.id + "  " + name_of(application.status) + "  " +
                     shown_text(application.name) + "  since " + time_of(application.since_ms);
  if (!application.reason.empty())
    text += "\n    " + shown_failure(application.reason, "    ", failures);
  text += "\n";
  if (application.jobs_left_out > 0) {
    text += "    " + std::to_string(application.jobs_left_out) +
            " jobs that came before these are left out: 'fr status' shows each by its id\n";
  }
  for (const JobInfo& job : application.jobs) text += text_of(job, failures);
  return text;
}

Found find_by_id(ClusterClient& client, const std::string& id) {
  const IdMatches matches = client.find(id).get();
  if (matches.count == 0)
    throw InvalidInput("cluster '" + client.cluster_id() + "' knows no application or job '" + id +
                       "': 'fr list' shows those that it knows");
  if (matches.count > 1)
    throw InvalidInput(std::to_string(matches.count) + " applications and jobs of cluster '" +
                       client.cluster_id() + "' begin with '" + id + "': give more of the id");
  if (!matches.jobs.empty()) return {{}, true, matches.jobs.front()};
  return {client.application(matches.applications.front().id).get(), false, {}};
}

}  // namespace freshet::tool
