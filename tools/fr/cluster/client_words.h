// The words and the exit codes of fr's commands that talk to a cluster.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cluster_words.h"
#include "command.h"
#include "configuration_flags.h"

namespace freshet::tool {
using namespace core;

struct ClientWords {
  ConfigurationFlags flags;
  std::string cluster_id, wait;
  bool json = false;

  void add_to(CLI::App& command);
  Configuration load() const;
  std::unique_ptr<ClusterClient> connect() const;
};

// What `run` returns; with one line of error, exit_code::kNoCluster for ClusterUnreachable and
// exit_code::kRefusedInput for JobManagerCantStart.
int with_cluster(const std::function<int()>& run);

// Prints what a command has done; core/status_json has the states. Bytes that are not UTF-8 are
// replaced.
void print_json(const nlohmann::ordered_json& json);
// How much of a failure is shown.
enum class Failures {
  kFirstLines,  // three, and that there is more
  kUsual,       // all but the stacks of all threads
  kWhole,       // -v
};
std::string shown_failure(const std::string& text, const std::string& indent, Failures failures);
// One line each, jobs behind their application.
std::string text_of(const ApplicationInfo& application, Failures failures);
std::string text_of(const JobInfo& job, Failures failures);
std::string text_of(const JobDetails& details);
std::string text_of(const AccumulatorValues& accumulators);

// An application or a job by its id or what it begins with. Throws InvalidInput: none, or several.
struct Found {
  ApplicationInfo application;  // unless it is a job
  bool is_job = false;
  JobInfo job;
};
Found find_by_id(ClusterClient& client, const std::string& id);

}  // namespace freshet::tool
