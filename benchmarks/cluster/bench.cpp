// The bars of clusters: starts real ones on this host, as users do, and measures from outside.
// Exits with 1 if a bar is missed.
//
//   bench [--quick] [CASE...]     --quick: fewer runs
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "backend/this_process.h"
#include "freshet/cluster_client.h"
#include "freshet/error.h"
#include "host/deployer_services.h"

namespace freshet::bench {
using namespace core;
namespace {

namespace fs = std::filesystem;

const std::string kBuild = FRESHET_BUILD_ROOT;
const std::string kApplication = kBuild + "/benchmarks/cluster/cluster_application.so";
const std::string kPlugins = " --plugin-dir " + kBuild + "/plugins/executors/local --plugin-dir " +
                             kBuild + "/plugins/executors/cluster --plugin-dir " + kBuild +
                             "/plugins/deployers/standalone ";

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
double ms_since(std::int64_t begin_ns) { return static_cast<double>(now_ns() - begin_ns) * 1e-6; }

void run(const std::string& command) {
  if (std::system((command + " > /dev/null").c_str()) != 0) throw Error("failed: " + command);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

// Waits for something that another process brings about; the times measured are that process's own
// where a millisecond matters.
template <class Ready>
void wait_for(const char* what, Ready&& ready) {
  const std::int64_t begin = now_ns();
  while (!ready()) {
    if (ms_since(begin) > 60'000) throw Error(std::string("waited for a minute: ") + what);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

// ---- what the system says of a process
// -----------------------------------------------------------

std::size_t entries(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

struct Process {
  std::int64_t id;
  std::string folder() const { return "/proc/" + std::to_string(id); }
  std::size_t descriptors() const { return entries(folder() + "/fd"); }
  std::size_t threads() const { return entries(folder() + "/task"); }
  double resident_mb() const {
    std::ifstream file(folder() + "/statm");
    double all = 0, resident = 0;
    file >> all >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  }
  double processor_seconds() const {
    std::ifstream file(folder() + "/stat");
    std::string word;
    double ticks = 0;
    for (int i = 1; i <= 15 && file >> word; ++i) {
      if (i >= 14) ticks += std::atof(word.c_str());
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
};

// ---- a session
// -----------------------------------------------------------------------------------

class Session {
 public:
  explicit Session(const std::string& options) {
    run(kBuild + "/tools/fr/fr cluster start --cluster-id=" + id_ + kPlugins + options);
    client_ = deployer_services_of_this_process()
                  .connect(deployer_services_of_this_process().read_record(id_), 10'000)
                  .get();
  }
  ~Session() {
    try {
      client_->shut_down().wait();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench: %s\n", error.what());
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ClusterClient& client() { return *client_; }
  std::string submit(std::vector<std::string> arguments,
                     std::map<std::string, std::string> settings = {}) {
    ApplicationSpec spec;
    spec.main.location = kApplication;
    spec.arguments = std::move(arguments);
    spec.settings = std::move(settings);
    return client_->submit_application(spec).get();
  }
  void run_to_end(const std::vector<std::string>& arguments) {
    const ApplicationInfo end = client_->application_end(submit(arguments)).get();
    if (end.status != ApplicationStatus::kFinished) throw Error("not finished: " + end.reason);
  }
  std::vector<Process> processes() {
    const ClusterInfo info = client_->status().get();
    std::vector<Process> all{{info.process_id}};
    for (const TaskManagerInfo& task_manager : info.task_managers) {
      all.push_back({task_manager.process_id});
    }
    return all;
  }
  std::string job_of(const std::string& application) {
    std::string job;
    wait_for("the job", [&] {
      const ApplicationInfo info = client_->application(application).get();
      if (is_terminal(info.status)) throw Error("it has ended: " + info.reason);
      if (!info.jobs.empty()) job = info.jobs.front().job_id;
      return !job.empty();
    });
    return job;
  }
  void cancel(const std::string& application) {
    client_->cancel_application(application).get();
    static_cast<void>(client_->application_end(application).get());
  }

 private:
  // One that has just been told to end may still be there.
  inline static int count = 0;
  const std::string id_ = "bench-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  std::unique_ptr<ClusterClient> client_;
};

// ---- report
// --------------------------------------------------------------------------------------

bool good = true;
void report(const char* what, double value, const char* unit, double bar, double aim) {
  const bool met = value <= bar;
  good = good && met;
  std::printf("%-58s %9.3g %-4s %8.3g %8.3g%s\n", what, value, unit, bar, aim,
              met ? "" : "  MISSED");
  std::fflush(stdout);
}

// ---- cases
// ---------------------------------------------------------------------------------------

fs::path scratch;

void application(bool quick) {
  const std::string fr_run =
      kBuild + "/tools/fr-run/fr-run " + kApplication + " --target=standalone" + kPlugins;
  std::vector<double> first, whole;
  for (int i = 0; i < (quick ? 5 : 21); ++i) {
    const fs::path file = scratch / "first";
    fs::remove(file);
    const std::int64_t begin = now_ns();
    run(fr_run + " first " + file.native());
    std::int64_t at = 0;
    std::ifstream(file) >> at;
    first.push_back(static_cast<double>(at - begin) * 1e-6);
    const std::int64_t begin_tiny = now_ns();
    run(fr_run + " tiny");
    whole.push_back(ms_since(begin_tiny));
  }
  report("application cluster, fr-run start to first record", median(first), "ms", 150, 80);
  report("the same, start to exit", median(whole), "ms", 250, 150);
}

void session(bool quick) {
  Session session("");
  session.run_to_end({"tiny"});  // uploads
  std::vector<double> times;
  for (int i = 0; i < (quick ? 20 : 100); ++i) {
    const std::int64_t begin = now_ns();
    session.run_to_end({"tiny"});
    times.push_back(ms_since(begin));
  }
  report("session, tiny job, submit to finished, median", median(times), "ms", 30, 15);
}

void idle(bool quick) {
  Session session("");
  const std::vector<Process> processes = session.processes();
  double resident = 0, begun = 0, ended = 0;
  for (const Process& process : processes) begun += process.processor_seconds();
  const std::int64_t begin = now_ns();
  std::this_thread::sleep_for(std::chrono::seconds(quick ? 5 : 30));
  for (const Process& process : processes) {
    ended += process.processor_seconds();
    resident += process.resident_mb();
  }
  report("idle job and task manager: resident memory", resident, "MB", 40, 25);
  report("idle job and task manager: share of a core",
         (ended - begun) / (ms_since(begin) / 1e3) * 100, "%", 0.5, 0);
}

void wide(bool) {
  constexpr int kParallelism = 50;
  Session session("-D taskmanager.slots=" + std::to_string(kParallelism));
  const std::int64_t begin = now_ns();
  const std::string id = session.submit({"wide", std::to_string(10'000 / kParallelism)},
                                        {{"parallelism.default", std::to_string(kParallelism)}});
  const auto job = session.client().job(session.job_of(id));
  wait_for("10,000 subtasks", [&] { return job->status().get() == JobStatus::kRunning; });
  report("10,000 subtasks deployed and running", ms_since(begin) / 1e3, "s", 2, 0.8);
  session.cancel(id);
}

void many(bool) {
  Session session("");
  const auto run_jobs = [&](int count) {
    for (int i = 0; i < count; ++i) session.run_to_end({"tiny"});
  };
  run_jobs(50);
  struct Stand {
    std::size_t descriptors = 0, threads = 0, files = 0;
    double memory = 0;
  };
  const auto stand = [&] {
    Stand s;
    for (const Process& process : session.processes()) {
      s.descriptors += process.descriptors();
      s.threads += process.threads();
      s.memory += process.resident_mb();
    }
    for (const auto& entry : fs::recursive_directory_iterator(scratch / "state" / "freshet")) {
      const std::string name = entry.path().filename().native();
      s.files += name.find(".log") == std::string::npos ? 1 : 0;
    }
    return s;
  };
  wait_for("the last worker to end", [&] {
    const ClusterInfo info = session.client().status().get();
    return info.task_managers.at(0).worker_processes.empty();
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const Stand early = stand();
  run_jobs(450);
  wait_for("the last worker to end", [&] {
    return session.client().status().get().task_managers.at(0).worker_processes.empty();
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));  // its sockets, too
  const Stand late = stand();
  const auto grown = [](std::size_t from, std::size_t to) {
    return static_cast<double>(to) - static_cast<double>(from);
  };
  report("500 jobs in a session: more descriptors than after 50",
         grown(early.descriptors, late.descriptors), "", 0, 0);
  report("500 jobs in a session: more threads", grown(early.threads, late.threads), "", 0, 0);
  report("500 jobs in a session: more files, logs apart", grown(early.files, late.files), "", 0, 0);
  report("500 jobs in a session: more memory", (late.memory / early.memory - 1) * 100, "%", 3, 0);
}

void killed(bool quick) {
  Session session("");
  std::vector<double> noticed, next;
  for (int i = 0; i < (quick ? 3 : 9); ++i) {
    const fs::path file = scratch / "ticks";
    fs::remove(file);
    const std::string id = session.submit(
        {"ticks", file.native()},
        {{"restart-strategy.type", "fixed-delay"}, {"restart-strategy.fixed-delay.delay", "0 ms"}});
    const auto job = session.client().job(session.job_of(id));
    std::string worker;
    const auto last_line = [&] {
      std::ifstream in(file);
      std::int64_t at = 0;
      std::string process, last;
      while (in >> at >> process) last = process;
      return last;
    };
    wait_for("a record", [&] { return !(worker = last_line()).empty(); });
    Future<std::optional<JobMessage>> message;
    std::uint64_t seen = 0;
    const auto is_there = [&] { return message.ready() || message.wait_for(0); };
    for (message = job->next_message(seen); message.wait_for(100);
         message = job->next_message(seen)) {
      seen = message.get()->number;
    }
    const std::int64_t begin = now_ns();
    ::kill(std::stoi(worker), SIGKILL);
    wait_for("the job manager to notice", is_there);
    noticed.push_back(ms_since(begin));
    std::int64_t at = 0;
    wait_for("the next record", [&] {
      std::ifstream in(file);
      std::string process;
      while (in >> at >> process) {
        if (process != worker) return true;
      }
      return false;
    });
    next.push_back(static_cast<double>(at - begin) * 1e-6);
    session.cancel(id);
  }
  report("worker killed: noticed", median(noticed), "ms", 50, 10);
  report("worker killed: next record, fixed-delay of 0", median(next), "ms", 500, 150);
}

int bench(const std::set<std::string>& wanted, bool quick) {
  scratch = fs::temp_directory_path() / ("freshet-bench-" + std::to_string(getpid()));
  fs::create_directories(scratch / "state");
  ::setenv("XDG_STATE_HOME", (scratch / "state").c_str(), 1);
  const struct {
    const char* name;
    void (*measure)(bool quick);
  } cases[] = {{"application", application},
               {"session", session},
               {"idle", idle},
               {"wide", wide},
               {"many", many},
               {"killed", killed}};
  std::printf("%-58s %9s %-4s %8s %8s\n", "", "", "", "bar", "aim");
  for (const auto& c : cases) {
    if (!wanted.empty() && !wanted.count(c.name)) continue;
    try {
      c.measure(quick);
    } catch (const std::exception& error) {
      std::printf("%-58s %s\n", c.name, error.what());
      good = false;
    }
  }
  // The processes of the last session may still be removing what is theirs.
  std::error_code removed;
  wait_for("the folders to be removed", [&] {
    fs::remove_all(scratch, removed);
    return !removed;
  });
  return good ? 0 : 1;
}

}  // namespace
}  // namespace freshet::bench

int main(int argc, char** argv) {
  std::set<std::string> wanted;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      quick = true;
    } else {
      wanted.insert(word);
    }
  }
  return freshet::bench::bench(wanted, quick);
}
