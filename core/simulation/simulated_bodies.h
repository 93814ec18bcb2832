// Inside of a SimulatedCluster: what its processes are made of.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulated_cluster.h"
#include "worker/worker_role.h"

namespace freshet::core {

struct SimulatedCluster::Life {
  std::string name, kind, parent;
  std::unique_ptr<ControlThread> thread;
  std::unique_ptr<Body> body;
  std::uint32_t slots = 0;         // of a worker
  std::optional<WorkerId> worker;  // that it is
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

// The deployer, as the job manager of one life has it.
class SimulatedCluster::Supply final : public TaskManagerSupply {
 public:
  Supply(SimulatedCluster& cluster, Life& job_manager)
      : cluster_(cluster), thread_(*job_manager.thread) {}

  Future<std::vector<std::string>> task_managers() override {
    return later([this] { return cluster_.deployed(); });
  }
  Future<std::vector<std::string>> resize(std::uint32_t count) override {
    return later([this, count] { return cluster_.resize(count); });
  }

 private:
  Future<std::vector<std::string>> later(std::function<std::vector<std::string>()> answer) {
    const auto promise = std::make_shared<Promise<std::vector<std::string>>>();
    thread_.after_ms(cluster_.delay_ms(50), "deployer", [promise, answer = std::move(answer)] {
      try {
        promise->set_value(answer());
      } catch (const Error&) {
        promise->set_error(std::current_exception());
      }
    });
    return promise->future();
  }
  SimulatedCluster& cluster_;
  ControlThread& thread_;
};

class SimulatedCluster::WorkerBody final : public Body {
 public:
  WorkerBody(ControlThread& thread, Transport& transport, std::uint64_t seed, IdSource& ids,
             const WorkerStart& start, LinkOptions links, std::function<void(ProcessEnd)> exit)
      : own_(start.worker),
        tasks_(thread, seed, start.worker.text(),
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
  void worker_ended(const WorkerId& worker) override {
    const bool same_attempt = worker.job == own_.job && worker.attempt == own_.attempt;
    if (same_attempt) tasks_.peer_ended(worker.number);
  }

 private:
  const WorkerId own_;
  SimulatedTasks tasks_;
  WorkerRole role_;
};

class SimulatedCluster::RunnerBody final : public Body {
 public:
  RunnerBody(ControlThread& thread, Transport& transport, IdSource& ids, const RunnerStart& start,
             LinkOptions links, std::function<void(ProcessEnd)> exit)
      : links_(thread, transport,
               PeerInfo{Role::kRunner, "main of " + start.application_id, ids.draw(), ""}, links),
        session_(ClientSession::start(
            thread, links_,
            {start.cluster_id, [to = start.job_manager] { return to; }, 5'000, false, nullptr})),
        // All files are on the cluster.
        client_(session_, ids,
                {file_on_disk, [](const JobModule&) { return std::nullopt; }, nullptr, false}),
        main_(
            thread, client_,
            {start.application_id, start.name, MainScript::from(start.arguments), module_sha256()},
            std::move(exit)) {
    main_.run();
  }
  ~RunnerBody() override { session_->close(); }

 private:
  Links links_;
  const std::shared_ptr<ClientSession> session_;
  RpcClusterClient client_;
  SimulatedMain main_;
};

class SimulatedCluster::JobManagerBody final : public Body {
 public:
  // `blobs`: of all job managers, where several may lead; else null.
  JobManagerBody(SimulatedCluster& cluster, Life& life, Transport& transport, std::uint64_t seed,
                 IdSource& ids, std::unique_ptr<HighAvailability> high_availability,
                 BlobsInMemory* blobs, JobManagerOptions options, std::function<void()> on_end)
      : spawner_(cluster, life),
        fetcher_(*life.thread, blobs ? *blobs : blobs_, seed),
        supply_(cluster, life),
        job_manager_(
            {*life.thread, transport, spawner_, blobs ? *blobs : blobs_, fetcher_, ids, &supply_},
            std::move(high_availability), std::move(options),
            [on_end = std::move(on_end)](const std::string&) { on_end(); }) {}
  JobManager& job_manager() { return job_manager_; }

 private:
  Spawner spawner_;
  BlobsInMemory blobs_;
  SimulatedFetcher fetcher_;
  Supply supply_;
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
  TaskManager& task_manager() { return task_manager_; }

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
             LinkOptions links, std::function<Address()> job_manager, bool keeps_jobs,
             std::function<void(ProcessEnd)> exit)
      : thread_(thread),
        ids_(ids),
        exit_(std::move(exit)),
        links_(thread, transport, PeerInfo{Role::kClient, name, ids.draw(), ""}, links) {
    ClientHost host;
    host.file = [](const std::string& path) { return module_file(path); };
    host.module = [](const JobModule& module) -> std::optional<ClientFile> {
      return module_file(module.name);
    };
    session_ = ClientSession::start(
        thread, links_, {"simulated", std::move(job_manager), 30'000, keeps_jobs, nullptr});
    client_ = std::make_unique<RpcClusterClient>(session_, ids, std::move(host));
  }
  ~ClientBody() override {
    alive_.end();
    session_->close();
  }
  RpcClusterClient& cluster() override { return *client_; }
  void leave() override {
    thread_.post("leave", [session = session_] { session->close(); });
  }
  std::shared_ptr<const Main> run_main(const std::string& application_id, const std::string& name,
                                       const MainScript& script) override {
    Running& running = *mains_.emplace_back(std::make_unique<Running>());
    running.main = std::make_unique<SimulatedMain>(
        thread_, *client_, SimulatedMain::Start{application_id, name, script, module_sha256()},
        [this, &running, application_id](const ProcessEnd& end) {
          main_ended(*running.told, application_id, end);
        });
    running.told->begun = client_->mains()->begin(application_id, name, ids_.draw());
    alive_.on_done(running.told->begun, [&running](const Future<void>& begun) {
      if (error_of(begun).empty()) running.main->run();
    });
    return running.told;
  }

 private:
  struct Running {
    std::shared_ptr<Main> told = std::make_shared<Main>();
    std::unique_ptr<SimulatedMain> main;
  };
  void main_ended(Main& told, const std::string& application_id, const ProcessEnd& end) {
    if (end.signal) {
      exit_(end);
      return;
    }
    told.exit_code = end.exit_code;
    told.end = main_end_of(end);
    told.end_told = client_->mains()->end(application_id, *end.exit_code, told.end);
  }
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
  ControlThread& thread_;
  IdSource& ids_;
  const std::function<void(ProcessEnd)> exit_;
  Links links_;
  std::shared_ptr<ClientSession> session_;
  std::unique_ptr<RpcClusterClient> client_;
  std::vector<std::unique_ptr<Running>> mains_;
  Alive alive_;
};

}  // namespace freshet::core
