// fr logs: what a process of a cluster has printed.
#include <unistd.h>

#include <cstdio>

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

const Command kLogs(
    "logs", "Print what a process of a cluster has printed.", [](CLI::App& command) {
      const auto words = std::make_shared<Words>();
      words->add_to(command);
      command.add_option("PROCESS", words->process,
                         "jobmanager, a task manager's id, the id of an application (its main) or "
                         "job (its first worker), or JOB:WORKER");
      command.add_flag("-f,--follow", words->follow, "go on until the process ends");
      return [words] { return with_cluster([&] { return logs(*words); }); };
    });

}  // namespace
}  // namespace freshet::tool
