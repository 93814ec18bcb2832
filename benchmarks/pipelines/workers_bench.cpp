// A keyed exchange between two workers, each a process on a processor of its own, against ZeroMQ
// alone with frames of the same size and as many credits:
//
//   workers_bench raw|job MILLIONS-OF-RECORDS
//
// prints seconds and what went over. A record has 48 bytes and takes 64 in a frame, with key and
// hash.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/in_process_backend.h"
#include "clock/clock.h"
#include "freshet/freshet.h"
#include "worker/worker_tasks.h"

namespace freshet {
using namespace core;
namespace {

constexpr std::size_t kFrame = 64 * 1024;
constexpr std::uint32_t kCredits = 32;

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  sched_setaffinity(0, sizeof set, &set);
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "workers_bench: %s\n", what.c_str());
  std::exit(1);
}

// ---- ZeroMQ alone ----------------------------------------------------------------------------

void send_raw(const std::string& endpoint, std::uint64_t frames, int started) {
  pin(0);
  void* context = zmq_ctx_new();
  void* socket = zmq_socket(context, ZMQ_DEALER);
  const int zero = 0;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, sizeof zero);
  zmq_bind(socket, endpoint.c_str());
  static std::vector<std::vector<char>> buffers(kCredits + 64, std::vector<char>(kFrame, 1));
  char ready;
  zmq_recv(socket, &ready, 1, 0);
  const double start = now();
  static_cast<void>(!write(started, &start, sizeof start));
  std::uint32_t credits = kCredits;
  for (std::uint64_t i = 0; i < frames; ++i) {
    std::uint32_t more;
    while (zmq_recv(socket, &more, sizeof more, credits ? ZMQ_DONTWAIT : 0) == sizeof more) {
      credits += more;
    }
    --credits;
    zmq_msg_t message;
    zmq_msg_init_data(
        &message, buffers[i % buffers.size()].data(), kFrame, [](void*, void*) {}, nullptr);
    zmq_msg_send(&message, socket, 0);
  }
  char done;
  do zmq_recv(socket, &done, 1, 0);
  while (done != 'd');
  zmq_close(socket);
  zmq_ctx_term(context);
}

void receive_raw(const std::string& endpoint, std::uint64_t frames) {
  pin(1);
  void* context = zmq_ctx_new();
  void* socket = zmq_socket(context, ZMQ_DEALER);
  const int zero = 0;
  zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, sizeof zero);
  zmq_connect(socket, endpoint.c_str());
  zmq_send(socket, "r", 1, 0);
  std::uint32_t owed = 0;
  for (std::uint64_t i = 0; i < frames; ++i) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    zmq_msg_recv(&message, socket, 0);
    if (zmq_msg_size(&message) != kFrame) std::abort();
    zmq_msg_close(&message);
    if (++owed == kCredits / 4) {
      zmq_send(socket, &owed, sizeof owed, 0);
      owed = 0;
    }
  }
  zmq_send(socket, "d", 1, 0);
  zmq_close(socket);
  zmq_ctx_term(context);
}

double raw_seconds(const std::string& endpoint, std::uint64_t frames) {
  int started[2];
  if (pipe(started) != 0) fail("no pipe");
  const pid_t receiver = fork();
  if (receiver == 0) {
    receive_raw(endpoint, frames);
    _exit(0);
  }
  const pid_t sender = fork();
  if (sender == 0) {
    send_raw(endpoint, frames, started[1]);
    _exit(0);
  }
  int status;
  waitpid(receiver, &status, 0);
  waitpid(sender, &status, 0);
  double start;
  if (read(started[0], &start, sizeof start) != sizeof start) fail("ZeroMQ did not run");
  const double seconds = now() - start;
  close(started[0]);
  close(started[1]);
  return seconds;
}

// ---- the job ---------------------------------------------------------------------------------

struct Record {
  std::int64_t key, a, b, c, d, e;
};
static_assert(sizeof(Record) == 48);
constexpr std::size_t kRowBytes = sizeof(Record) + 16;

class CapturingBackend final : public detail::ExecutionBackend {
 public:
  Configuration configuration() override { return {}; }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    bytes = InProcessBackend::instance().translate(pipeline, configuration).to_bytes();
    return make_failed_future<std::unique_ptr<JobClient>>(
        std::make_exception_ptr(Error("captured")));
  }
  std::string bytes;
};

std::string exchange_graph(std::uint64_t records) {
  CapturingBackend backend;
  detail::set_execution_backend(&backend);
  auto env = StreamExecutionEnvironment::get_execution_environment();
  env.set_parallelism(1);
  env.generate(
         [](std::uint64_t i) {
           const std::uint64_t r = (i + 1) * 0x9E3779B97F4A7C15ull;
           const auto n = static_cast<std::int64_t>(i);
           return Record{static_cast<std::int64_t>(r >> 52), n, n + 1, n + 2, n + 3, n + 4};
         },
         records)
      .key_by(&Record::key)
      .reduce([](const Record& sum, const Record& next) {
        return Record{sum.key,        sum.a + next.a, sum.b ^ next.b,
                      sum.c + next.c, sum.d ^ next.d, sum.e + next.e};
      })
      .start_new_chain()
      .discard();
  try {
    static_cast<void>(env.execute("exchange"));
  } catch (const Error&) {  // captured
  }
  detail::set_execution_backend(nullptr);
  return backend.bytes;
}

void say(int to, const std::string& word) {
  const std::string line = word + "\n";
  static_cast<void>(!write(to, line.data(), line.size()));
}

std::string hear(int from) {
  std::string line;
  char c;
  while (read(from, &c, 1) == 1 && c != '\n') line += c;
  if (line.empty()) fail("a worker has gone");
  return line;
}

struct Telling final : TaskRunnerListener {
  explicit Telling(int its_parent) : parent(its_parent) {}
  void tasks_opened() override { say(parent, "opened"); }
  void tasks_finished(FinishedTasks) override { say(parent, "finished"); }
  void tasks_failed(FailureInfo failure) override { fail(failure.message); }
  void told(std::uint32_t, std::uint32_t, std::string) override {}
  void tasks_ended(TaskReport report) override {
    say(parent, "ended " + std::to_string(report.sink_records));
  }
  const int parent;
};

void run_worker(int parent, std::uint32_t number, const std::string& graph,
                const std::string& folder) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(static_cast<int>(number));
  NetworkThread network;
  Telling telling(parent);
  WorkerTasks tasks(SystemClock::instance(), network, KeyPair{}, Configuration{});
  say(parent, tasks.listen(true, folder, "").endpoint);
  Deployment deployment;
  deployment.job_graph = graph;
  deployment.number = number;
  for (int worker = 0; worker < 2; ++worker) deployment.workers.push_back({hear(parent), {}});
  deployment.worker_of_subtask = {0, 1};
  tasks.deploy(deployment, telling);
  hear(parent);
  tasks.open_gate();
  hear(parent);
  tasks.commit();
  hear(parent);
}

double exchange_seconds(const std::string& graph, const std::string& folder) {
  int channels[2][2];
  pid_t workers[2];
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, channels[i]) != 0) fail("no socket");
    workers[i] = fork();
    if (workers[i] == 0) {
      run_worker(channels[i][1], i, graph, folder);
      _exit(0);
    }
    close(channels[i][1]);
  }
  const auto everybody = [&](const std::string& word) {
    for (auto& channel : channels) say(channel[0], word);
  };
  const std::string addresses[2] = {hear(channels[0][0]), hear(channels[1][0])};
  for (const std::string& address : addresses) everybody(address);
  for (auto& channel : channels) hear(channel[0]);
  const double start = now();
  everybody("open");
  for (auto& channel : channels) hear(channel[0]);
  const double seconds = now() - start;
  everybody("commit");
  hear(channels[0][0]);
  hear(channels[1][0]);
  everybody("end");
  for (int i = 0; i < 2; ++i) {
    int status;
    waitpid(workers[i], &status, 0);
    close(channels[i][0]);
  }
  return seconds;
}

int run(int argc, char** argv) {
  const std::string mode = argc == 3 ? argv[1] : "";
  if (mode != "raw" && mode != "job") {
    std::fprintf(stderr, "usage: workers_bench raw|job MILLIONS-OF-RECORDS\n");
    return 64;
  }
  const std::uint64_t records = std::strtoull(argv[2], nullptr, 10) * 1'000'000;
  char name[] = "/tmp/freshet-bench-XXXXXX";
  if (!mkdtemp(name)) fail("no folder");
  const std::string folder = name;
  const double seconds = mode == "raw"
                             ? raw_seconds("ipc://" + folder + "/raw", records * kRowBytes / kFrame)
                             : exchange_seconds(exchange_graph(records), folder);
  std::filesystem::remove_all(folder);
  std::printf("%.9f %llu\n", seconds, static_cast<unsigned long long>(records));
  return 0;
}

}  // namespace
}  // namespace freshet

int main(int argc, char** argv) { return freshet::run(argc, argv); }
