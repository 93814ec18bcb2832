// fr logs: what a process of a cluster has printed.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cluster/client_words.h"
#include "freshet/error.h"

namespace freshet::tool {
namespace {

struct Words : ClientWords {
  std::string process;
  bool follow = false;
};

constexpr unsigned kPauseUs = 200'000;

// "main:<id>" of an application that was named by what its id begins with.
std::string process_of(ClusterClient& client, const std::string& given) {
  if (given.empty()) return "jobmanager";
  if (given == "jobmanager" || given.find(':') != std::string::npos) return given;
  for (const TaskManagerInfo& each : client.status().get().task_managers)
    if (each.id == given) return given;
  const Found found = find_by_id(client, given);
  return found.is_job ? found.job.job_id + ":0" : "main:" + found.application.id;
}

int logs(const Words& words) {
  const auto client = words.connect();
  const std::string process = process_of(*client, words.process);
  std::uint64_t at = 0;
  while (true) {
    const LogChunk chunk = client->read_log(process, at).get();
    if (std::fwrite(chunk.text.data(), 1, chunk.text.size(), stdout) != chunk.text.size() ||
        std::fflush(stdout) != 0)
      return kRefusedInput;
    at = chunk.next;
    if (!chunk.text.empty()) continue;
    if (chunk.ended || !words.follow) return kDone;
    ::usleep(kPauseUs);
  }
}

// Of a cluster that has ended: its logs are kept for a while.
int logs_left(const Words& words, const std::filesystem::path& folder) {
  const std::string wanted = words.process.empty() ? "jobmanager" : words.process;
  std::vector<std::filesystem::path> found;
  std::string names;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    const std::string name = each.path().stem();
    if (each.path().extension() != ".log") continue;
    names += (names.empty() ? "" : ", ") + name;
    if (name == wanted || name.rfind("main-" + wanted, 0) == 0 ||
        name.rfind("worker-" + wanted, 0) == 0)
      found.push_back(each.path());
  }
  if (found.size() != 1)
    throw InvalidInput("cluster '" + words.cluster_id + "' has ended, and left " +
                       (found.empty() ? "no log" : "several logs") + " of '" + wanted + "' in " +
                       folder.native() + ": there are " + names);
  for (const std::string& file : {found[0].native() + ".1", found[0].native()}) {
    std::ifstream log(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  return kDone;
}

int logs_of_any(const Words& words) {
  const StateFolder state = StateFolder::of_this_user();
  std::error_code ignored;
  if (!words.cluster_id.empty()) {
    check_cluster_id(words.cluster_id);
    if (!LocalDeployerServices::instance().cluster_records().find(words.cluster_id) &&
        std::filesystem::is_directory(state.logs(words.cluster_id), ignored))
      return logs_left(words, state.logs(words.cluster_id));
  }
  return logs(words);
}

const Command kLogs(
    "logs", "Print what a process of a cluster has printed.", [](CLI::App& command) {
      const auto words = std::make_shared<Words>();
      words->add_to(command);
      command.add_option("PROCESS", words->process,
                         "jobmanager, a task manager's id, the id of an application (its main) or "
                         "job (its first worker), or JOB:WORKER");
      command.add_flag("-f,--follow", words->follow, "go on until the process ends");
      return [words] { return with_cluster([&] { return logs_of_any(*words); }); };
    });

}  // namespace
}  // namespace freshet::tool
