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

constexpr unsigned kPauseMs = 200;

// "main:<id>" of an application that was named by what its id begins with.
std::string process_of(ClusterClient& client, const std::string& given) {
  if (given.empty()) return "jobmanager";
  if (given == "jobmanager" || given.find(':') != std::string::npos) return given;
  for (const TaskManagerInfo& each : client.status().get().task_managers)
    if (each.id == given) return given;
  const Found found = find_by_id(client, given);
  return found.is_job ? found.job.job_id + ":0" : "main:" + found.application.id;
}

// Of a cluster that has ended: its logs are kept for a while.
std::string log_left(const std::string& cluster_id, const std::string& process,
                     const std::filesystem::path& folder) {
  const std::string wanted = process.empty() ? "jobmanager" : process;
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
    throw InvalidInput("cluster '" + cluster_id + "' has ended, and left " +
                       (found.empty() ? "no log" : "several logs") + " of '" + wanted + "' in " +
                       folder.native() + ": there are " + names);
  std::string text;
  for (const std::string& file : {found[0].native() + ".1", found[0].native()}) {
    std::ifstream log(file, std::ios::binary);
    text.append(std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>());
  }
  return text;
}

// What stands in the log behind what was printed: `at` bytes, the last of which are `tail`. A log
// that was rolled has lost its first ones.
std::string rest_of(const std::string& log, std::uint64_t at, const std::string& tail) {
  if (at <= log.size() && at >= tail.size() &&
      log.compare(at - tail.size(), tail.size(), tail) == 0)
    return log.substr(at);
  const std::size_t found = log.rfind(tail);
  return found == std::string::npos ? "" : log.substr(found + tail.size());
}

// The name by which log_left() knows a process.
std::string name_in_folder(const std::string& process) {
  constexpr std::size_t kDigitsOfJob = 8;
  if (process.rfind("main:", 0) == 0) return process.substr(5);
  const std::size_t colon = process.find(':');
  return colon == std::string::npos ? process : process.substr(0, kDigitsOfJob);
}

bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

int logs(const Words& words) {
  const auto client = words.connect();
  const std::string process = process_of(*client, words.process);
  const ClusterRecords& records = LocalDeployerServices::instance().cluster_records();
  const std::string folder = records.folder().logs(client->cluster_id());
  constexpr std::size_t kTail = 4'096;
  std::string tail;
  std::uint64_t at = 0;
  while (true) {
    const Future<LogChunk> answer = client->read_log(process, at);
    std::error_code ignored;
    while (!answer.wait_for(kPauseMs)) {
      // The last process of a cluster takes its record away: nobody answers any more.
      if (records.find(client->cluster_id()) || !std::filesystem::is_directory(folder, ignored))
        continue;
      const std::string log = log_left(client->cluster_id(), name_in_folder(process), folder);
      return print(at == 0 ? log : rest_of(log, at, tail)) ? kDone : kRefusedInput;
    }
    const LogChunk chunk = answer.get();
    if (!print(chunk.text)) return kRefusedInput;
    at = chunk.next;
    tail += chunk.text;
    if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
    if (!chunk.text.empty()) continue;
    if (chunk.ended || !words.follow) return kDone;
    ::usleep(kPauseMs * 1'000);
  }
}

int logs_of_any(const Words& words) {
  const StateFolder state = StateFolder::of_this_user();
  std::error_code ignored;
  if (!words.cluster_id.empty()) {
    check_cluster_id(words.cluster_id);
    if (!LocalDeployerServices::instance().cluster_records().find(words.cluster_id) &&
        std::filesystem::is_directory(state.logs(words.cluster_id), ignored))
      return print(log_left(words.cluster_id, words.process, state.logs(words.cluster_id)))
                 ? kDone
                 : kRefusedInput;
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
