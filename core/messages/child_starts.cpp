#include "messages/child_starts.h"

#include "freshet/error.h"
#include "links/packing.h"
#include "messages/wire_types.h"

namespace freshet::core {
namespace {

template <class Start>
std::string pack(const Start& start) {
  msgpack::sbuffer bytes;
  msgpack::pack(bytes, start);
  return {bytes.data(), bytes.size()};
}

template <class Start>
Start unpack(const std::string& bytes, const char* what) {
  try {
    return msgpack::unpack(bytes.data(), bytes.size()).get().as<Start>();
  } catch (const std::exception& error) {
    throw InvalidInput(std::string("descriptor 3 does not tell what ") + what +
                       " needs: " + error.what() + ": it is started by a cluster, not by hand");
  }
}

}  // namespace

ProcessSpec runner_process(const std::string& program, const RunnerStart& start) {
  ProcessSpec runner{
      "main-" + start.application_id, {program, "runner"}, {}, pack(start), start.name, true};
  runner.separate_errors = true;
  return runner;
}

ProcessSpec worker_process(const std::string& program, const WorkerStart& start) {
  return {
      "worker-" + start.worker.text(), {program, "worker"}, {}, pack(start), start.job_name, true};
}

RunnerStart read_runner_start(const std::string& bytes) {
  return unpack<RunnerStart>(bytes, "a runner");
}

WorkerStart read_worker_start(const std::string& bytes) {
  return unpack<WorkerStart>(bytes, "a worker");
}

}  // namespace freshet::core
