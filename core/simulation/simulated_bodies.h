// Inside of a SimulatedCluster: what its processes are made of.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "simulation/simulated_cluster.h"
#include "worker/worker_role.h"

namespace freshet {

struct SimulatedCluster::Life {
  std::string name, kind, parent;
  std::unique_ptr<ControlThread> thread;
  std::unique_ptr<Body> body;
  std::uint32_t slots = 0;  // of a worker
  ProcessHandle handle = 0;
  detail::UniqueFunction<void(ProcessEnd)> on_end;
  std::optional<ProcessEnd> ended;  // taken down soon
  bool silently = false;

  void end_now() {
    body.reset();
    thread.reset();
  }
};

// The children of one process.
class SimulatedCluster::Spawner final : public ProcessSpawner {
 public:
  Spawner(SimulatedCluster& cluster, Life& parent) : cluster_(cluster), parent_(parent) {}

  ProcessHandle spawn(ProcessSpec spec, detail::UniqueFunction<void(ProcessEnd)> on_end) override {
    const ProcessHandle handle = ++cluster_.last_handle_;
    cluster_.spawn_child(parent_, handle, std::move(spec), std::move(on_end));
    return handle;
  }
  std::int64_t process_id(ProcessHandle process) const override {
    return find(process) ? static_cast<std::int64_t>(process) : 0;
  }
  void ask_to_end(ProcessHandle process) override { kill(process); }
  void kill(ProcessHandle process) override {
    Life* life = find(process);
    if (!life) return;
    life->thread->after_ms(cluster_.delay_ms(3), "killed",
                           [&cluster = cluster_, name = life->name] {
                             ProcessEnd end;
                             end.signal = 9;
                             cluster.end(name, end);
                           });
  }

 private:
  Life* find(ProcessHandle process) const {
    for (const auto& [name, life] : cluster_.lives_) {
      if (life->handle == process) return life.get();
    }
    return nullptr;
  }
  SimulatedCluster& cluster_;
  Life& parent_;
};

class SimulatedCluster::WorkerBody final : public Body {
 public:
  WorkerBody(ControlThread& thread, Transport& transport, std::uint64_t seed, IdSource& ids,
             const WorkerStart& start, LinkOptions links, std::function<void(ProcessEnd)> exit)
      : tasks_(thread, seed, start.worker.text(),
               [exit] {
                 ProcessEnd end;
                 end.signal = 11;
                 end.last_lines = "segmentation fault";
                 exit(end);
               }),
        role_(thread, transport, tasks_, start, ids.draw(), 1, links,
              [exit](int code, const std::string&) {
                ProcessEnd end;
                end.exit_code = code;
                exit(end);
              }) {
    role_.start();
  }

 private:
  SimulatedTasks tasks_;
  WorkerRole role_;
};

class SimulatedCluster::RunnerBody final : public Body {
 public:
  RunnerBody(ControlThread& thread, Transport& transport, IdSource& ids, const RunnerStart& start,
             LinkOptions links, std::function<void(ProcessEnd)> exit)
      : links_(thread, transport,
               PeerInfo{Role::kRunner, "main of " + start.application_id, ids.draw(), ""}, links),
        main_(thread, links_, ids, start, module_sha256(), std::move(exit)) {
    main_.run();
  }

 private:
  Links links_;
  SimulatedMain main_;
};

class SimulatedCluster::JobManagerBody final : public Body {
 public:
  JobManagerBody(SimulatedCluster& cluster, Life& life, Transport& transport, std::uint64_t seed,
                 IdSource& ids, JobManagerOptions options, std::function<void()> on_end)
      : spawner_(cluster, life),
        fetcher_(*life.thread, blobs_, seed),
        job_manager_({*life.thread, transport, spawner_, blobs_, fetcher_, ids, election_, graphs_,
                      results_},
                     std::move(options),
                     [on_end = std::move(on_end)](const std::string&) { on_end(); }) {}
  JobManager& job_manager() { return job_manager_; }

 private:
  Spawner spawner_;
  BlobsInMemory blobs_;
  SimulatedFetcher fetcher_;
  NoElection election_;
  JobGraphsInMemory graphs_;
  JobResultsInMemory results_;
  JobManager job_manager_;
};

class SimulatedCluster::TaskManagerBody final : public Body {
 public:
  TaskManagerBody(SimulatedCluster& cluster, Life& life, Transport& transport, IdSource& ids,
                  TaskManagerOptions options, std::function<Address()> job_manager,
                  std::function<void()> on_end)
      : spawner_(cluster, life),
        task_manager_({*life.thread, transport, spawner_, blobs_, ids, std::move(job_manager)},
                      std::move(options),
                      [on_end = std::move(on_end)](const std::string&) { on_end(); }) {
    task_manager_.start();
  }

 private:
  Spawner spawner_;
  BlobsInMemory blobs_;
  TaskManager task_manager_;
};

class SimulatedCluster::StrangerBody final : public Body {
 public:
  StrangerBody(ControlThread& thread, Transport& transport, IdSource& ids, const std::string& name,
               Role role, LinkOptions options)
      : links_(thread, transport, PeerInfo{role, name, ids.draw(), ""}, options) {}
  Links& links() { return links_; }

 private:
  Links links_;
};

class SimulatedCluster::ClientBody final : public Body, public Client {
 public:
  ClientBody(ControlThread& thread, Transport& transport, IdSource& ids, const std::string& name,
             LinkOptions links, std::function<Address()> job_manager)
      : links_(thread, transport, PeerInfo{Role::kClient, name, ids.draw(), ""}, links) {
    ClientHost host;
    host.file = [](const std::string& path) { return module_file(path); };
    host.module = [](const JobModule& module) -> std::optional<ClientFile> {
      return module_file(module.name);
    };
    session_ = ClientSession::start(thread, links_,
                                    {"simulated", std::move(job_manager), 30'000, nullptr});
    client_ = std::make_unique<RpcClusterClient>(session_, ids, std::move(host));
  }
  ~ClientBody() override { session_->close(); }
  ClusterClient& cluster() override { return *client_; }

 private:
  static ClientFile module_file(const std::string& name) {
    ClientFile file;
    file.name = name;
    file.sha256 = module_sha256();
    file.size = module_content().size();
    file.read = [](std::uint64_t offset, std::size_t at_most) {
      return module_content().substr(offset, at_most);
    };
    return file;
  }
  Links links_;
  std::shared_ptr<ClientSession> session_;
  std::unique_ptr<RpcClusterClient> client_;
};

}  // namespace freshet
