// fr worker: runs the tasks of one job on this host. Started by a task manager.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>

#include "client/cluster_node.h"
#include "clock/clock.h"
#include "cluster/daemon.h"
#include "command.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "messages/child_starts.h"
#include "network/endpoint.h"
#include "process/own_account.h"
#include "worker/worker_role.h"
#include "worker/worker_tasks.h"

namespace freshet::tool {
using namespace core;
namespace {

int run() {
  try {
    const std::string given = take_start();
    const OwnAccount account;  // away from what user code starts
    WorkerStart start = read_worker_start(given);
    show_last_argument_as(start.job_name);
    const Configuration configuration = child_configuration(start.settings);
    log_to_standard_error(configuration);
    enter_working_folder(configuration, "the tasks of this worker work");
    const Endpoint bound = parse_endpoint(told_endpoint("tcp://*:*", start.host));
    if (start.told_host.empty() && !start.one_host && bound.is_wildcard())
      start.told_host = own_address_towards(parse_endpoint(start.job_manager.endpoint));

    ClusterNode node(SystemClock::instance(), key_pair_of(start.secret_key));
    Promise<int> ended;
    const Future<int> end = ended.future();
    WorkerTasks tasks(SystemClock::instance(), node.network(), node.keys(), configuration,
                      &node.zap());
    std::unique_ptr<WorkerRole> role;
    node.run([&] {
      role = std::make_unique<WorkerRole>(
          node.control(), node.transport(), tasks, start, new_incarnation(), ::getpid(),
          link_options(configuration), [&ended](int code, const std::string& why) {
            spdlog::debug("the worker ends: {}", why);
            ended.set_value(code);
          });
      role->start();
    });
    const int code = end.get();
    // Nothing is left to be told. What of the user's code does not end, ends with the process.
    std::fflush(nullptr);
    node.run([&] { role.reset(); });
    return code;
  } catch (const Error& error) {
    std::fprintf(stderr, "fr worker: %s\n", error.what());
    return exit_code::kRefusedInput;
  }
}

const Command kWorker("worker", "", [](CLI::App& command) {
  command.group("");  // not for people
  const auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "of the job, for those who list processes");
  return [name] { return run(); };
});

}  // namespace
}  // namespace freshet::tool
