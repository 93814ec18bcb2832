// fr logs: what a process of a cluster has printed.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>

#include "backend/this_process.h"
#include "cluster/client_words.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "shown_text.h"

namespace freshet::tool {
using namespace core;
namespace {

struct Words : ClientWords {
  std::string process;
  bool follow = false;
};

constexpr unsigned kPauseMs = 200;

// "jobmanager", "main:<application>", "<job>:<worker>" or a task manager's id, from what people
// give: applications and jobs by what their ids begin with.
std::string process_of(ClusterClient& client, const std::string& given) {
  if (given.empty() || given == "jobmanager") return "jobmanager";
  for (const TaskManagerInfo& each : client.status().get().task_managers)
    if (each.id == given) return given;
  const std::size_t colon = given.find(':');
  const std::string first = given.substr(0, colon);
  if (colon == std::string::npos) {
    const Found found = find_by_id(client, given);
    return found.is_job ? found.job.job_id + ":0" : "main:" + found.application.id;
  }
  const std::string second = given.substr(colon + 1);
  if (first == "main") return "main:" + find_by_id(client, second).application.id;
  const Found found = find_by_id(client, first);
  if (!found.is_job)
    throw InvalidInput("'" + given + "': application " + found.application.id +
                       " has no workers, its jobs have: 'fr status " + first + "' shows them");
  return found.job.job_id + ":" + second;
}

// A log that a cluster has left: worker-<first digits of the job>-<attempt>-<number>.
struct WorkerLog {
  std::string job;
  long attempt = 0, number = 0;
};
std::optional<WorkerLog> worker_log(const std::string& name) {
  static const std::regex kName("worker-([0-9a-f]+)-([0-9]+)-([0-9]+)");
  std::smatch parts;
  if (!std::regex_match(name, parts, kName)) return std::nullopt;
  return WorkerLog{parts[1], std::stol(parts[2]), std::stol(parts[3])};
}

// Which of them is meant: a name as it stands there; the beginning of an application's id, with or
// without "main:"; that of a job's, for its first worker, or with ":<number>", of its last attempt.
std::vector<std::string> meant(const std::vector<std::string>& names, const std::string& wanted) {
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return {wanted};
  const std::string of_main = wanted.rfind("main:", 0) == 0 ? wanted.substr(5) : wanted;
  const std::size_t colon = wanted.find(':');
  const std::string job = wanted.substr(0, colon);
  std::vector<std::string> found;
  std::map<std::string, std::pair<WorkerLog, std::string>> workers;  // the best one of each job
  for (const std::string& name : names) {
    if (name.rfind("main-" + of_main, 0) == 0) found.push_back(name);
    const auto log = worker_log(name);
    if (!log || (job.rfind(log->job, 0) != 0 && log->job.rfind(job, 0) != 0)) continue;
    if (colon != std::string::npos && wanted.substr(colon + 1) != std::to_string(log->number))
      continue;
    const auto [at, is_new] = workers.emplace(log->job, std::make_pair(*log, name));
    const WorkerLog& best = at->second.first;
    if (!is_new && (log->attempt > best.attempt ||
                    (log->attempt == best.attempt && log->number < best.number)))
      at->second = {*log, name};
  }
  for (const auto& [id, worker] : workers) found.push_back(worker.second);
  return found;
}

// Of a cluster that has ended: its logs are kept for a while.
std::string log_left(const std::string& cluster_id, const std::string& process,
                     const std::filesystem::path& folder) {
  const std::string wanted = process.empty() ? "jobmanager" : process;
  std::vector<std::string> names;
  for (const auto& each : std::filesystem::directory_iterator(folder))
    if (each.path().extension() == ".log") names.push_back(each.path().stem());
  std::sort(names.begin(), names.end());
  const std::vector<std::string> found = meant(names, wanted);
  if (found.size() != 1) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    throw InvalidInput("cluster '" + cluster_id + "' has ended, and left " +
                       (found.empty() ? "no log" : "several logs") + " of '" + wanted + "' in " +
                       folder.native() + ": there are " + list);
  }
  std::string text;
  for (const char* part : {".log.1", ".log"}) {
    std::ifstream log(folder / (found[0] + part), std::ios::binary);
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

// What steers a terminal is for files and pipes alone.
bool print(const std::string& printed) {
  const std::string text = ::isatty(STDOUT_FILENO) != 0 ? shown_text(printed) : printed;
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

int logs(const Words& words) {
  const auto client = words.connect();
  const std::string process = process_of(*client, words.process);
  const ClusterRecords& records = deployer_services_of_this_process().cluster_records();
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
      const std::string log = log_left(client->cluster_id(), process, folder);
      return print(at == 0 ? log : rest_of(log, at, tail)) ? exit_code::kDone
                                                           : exit_code::kRefusedInput;
    }
    const LogChunk chunk = answer.get();
    if (!print(chunk.text)) return exit_code::kRefusedInput;
    at = chunk.next;
    tail += chunk.text;
    if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
    if (!chunk.text.empty()) continue;
    if (chunk.ended || !words.follow) return exit_code::kDone;
    ::usleep(kPauseMs * 1'000);
  }
}

int logs_of_any(const Words& words) {
  const StateFolder state = StateFolder::of_this_user();
  std::error_code ignored;
  if (!words.cluster_id.empty()) {
    check_cluster_id(words.cluster_id);
    if (!deployer_services_of_this_process().cluster_records().find(words.cluster_id) &&
        std::filesystem::is_directory(state.logs(words.cluster_id), ignored))
      return print(log_left(words.cluster_id, words.process, state.logs(words.cluster_id)))
                 ? exit_code::kDone
                 : exit_code::kRefusedInput;
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
