// One application: its main, its jobs, and what becomes of it. The table is in
// docs/maintainers/clusters.md, its states in application_states.h.
//
// Its main runs in a runner that this starts; or in a client, which says when it begins and how it
// has ended (main_in_client.cpp); or there is none: a job that is an application of its own.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "blobs/blob_storage.h"
#include "control/alive.h"
#include "control/control_thread.h"
#include "control/id_source.h"
#include "fetching/artifact_fetcher.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "job_master/job_master.h"
#include "messages/child_starts.h"
#include "messages/messages.h"
#include "network/transport.h"
#include "process/main_end.h"
#include "process/process_spawner.h"
#include "security/peer_log.h"

namespace freshet::core {

class Application;

class ApplicationListener {
 public:
  virtual ~ApplicationListener() = default;
  virtual void application_changed(Application& application) = 0;
  virtual void application_ended(Application& application) = 0;  // after changed(); once
};

// What applications need. All outlives them.
struct RunnerServices {
  ControlThread& thread;
  Transport& transport;
  ProcessSpawner& spawner;
  BlobStorage& blobs;
  ArtifactFetcher& fetcher;
  IdSource& ids;
  std::string program;  // absolute path of fr
  std::string cluster_id;
  Address job_manager;
  std::map<std::string, std::string> settings;  // the cluster's; the application's come on top
  std::int64_t client_grace_ms = 30'000;        // jobmanager.client-grace
};

class FRESHET_API Application {
 public:
  enum class Main : std::uint8_t { kRunner, kClient, kNone };

  Application(RunnerServices& services, std::string id, std::string name, std::string ticket,
              Main main, ApplicationListener& listener);
  ~Application();

  // Main::kRunner: fetches what is missing and starts main.
  void start(SubmitApplication submission);
  void add(JobMaster& job);  // not started yet; [accepts_jobs()]
  // Under an earlier leader: one of its jobs ended; the runner of its main was lost, which fails it
  // once its jobs have ended.
  void job_ended_before(const JobInfo& job, bool canceled_by_main);
  void main_was_lost();
  // The record of one of its jobs, which has ended, is dropped.
  void forget(const JobMaster& job);
  // May repeat; nothing once it has ended.
  void cancel(const std::string& reason);
  // Main::kClient: main is in the client of that link, in that very incarnation of it, by whatever
  // links it comes. Without any for the grace it is lost, and main has failed. `told`: the client
  // says how main has ended; else main counts as returned when the client leaves. Once.
  void main_is_at(Link& link, bool told);
  // The same, of a client that has still to come, since the job manager has changed. Once.
  void main_was_at(const std::string& incarnation, const std::string& name, bool told);
  bool main_is_of(const PeerInfo& peer) const {
    return client_ && client_->peer == peer.incarnation;
  }
  // Main is in that process: its runner, or a client.
  bool has_main_at(const PeerInfo& peer) const {
    return main_is_of(peer) || (runner_ && peer.role == Role::kRunner && peer.key == runner_key_);
  }
  // "client (pid 4711)"; empty: main is in none.
  std::string client_name() const { return client_ ? client_->name : ""; }
  void main_has_ended(const EndApplication& end);
  void link_opened(Link& link);
  void link_lost(Link& link, const std::string& reason);
  void job_ended(JobMaster& job);

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& ticket() const { return ticket_; }
  ApplicationStatus status() const { return status_; }
  bool has_ended() const { return is_terminal(status_); }
  bool runs_in_runner() const { return main_ == Main::kRunner; }
  // No runner of it is left either.
  bool is_gone() const { return has_ended() && !runner_; }
  // Empty: it takes jobs; else why it does not.
  std::string refuses_jobs() const;
  ApplicationInfo info() const;
  // Its place in lists.
  std::uint64_t number() const { return number_; }
  void set_number(std::uint64_t number) { number_ = number; }
  const std::vector<JobMaster*>& jobs() const { return jobs_; }
  // Hashes of what main needs, has fetched or is to fetch.
  void add_files(std::set<std::string>& to) const;
  Future<ApplicationInfo> ended() { return end_; }

 private:
  enum class MainState : std::uint8_t { kNotBegun, kRuns, kReturned, kFailed };

  void fetch_next();
  void spawn();
  void main_ended(const ProcessEnd& end);
  void main_is_over(const MainEnd& main);
  void main_failed(const std::string& reason);
  // main has left since a job was canceled.
  void main_canceled(const std::string& reason);
  void cancel_jobs(const std::string& reason);
  void client_is_away(const std::string& reason);
  void client_is_lost(const std::string& reason);
  void stop_waiting_for_client();
  void settle();
  void enter(ApplicationStatus status, const std::string& reason);
  bool all_jobs_ended() const;
  const JobMaster* first_failed() const;  // nullptr: none
  // The name of the first one that was canceled, by main itself or by others.
  std::optional<std::string> canceled_job(bool by_main) const;

  RunnerServices& services_;
  const std::string id_, name_, ticket_;
  const Main main_;
  ApplicationListener& listener_;

  SubmitApplication submission_;        // until main has begun
  std::vector<WireArtifact> to_fetch_;  // the last one first
  std::vector<JobModule> files_;        // fetched; main's is the first
  const std::shared_ptr<std::atomic<bool>> wants_files_ = std::make_shared<std::atomic<bool>>(true);
  std::vector<JobMaster*> jobs_;  // in the order of their submission
  // Of jobs that are forgotten: the first one's reason, the first one's name.
  std::optional<std::string> failed_before_, canceled_before_, canceled_by_main_before_;
  struct Client {
    std::string peer, name;  // its incarnation
    bool told;
    std::vector<const Link*> links;  // that are open
    std::optional<TimerId> grace;    // it has none
  };
  std::optional<Client> client_;
  PeerLog client_log_{PeerLog::kLinesAtOnce, services_.thread.clock()};
  std::optional<ProcessHandle> runner_;
  PublicKey runner_key_;
  MainState main_state_ = MainState::kNotBegun;
  bool canceled_ = false;
  ApplicationStatus status_;
  std::string reason_;
  std::optional<int> exit_code_, signal_;
  std::uint64_t number_ = 0;
  std::int64_t since_ms_ = 0, ended_ms_ = 0;
  Promise<ApplicationInfo> promise_;
  const Future<ApplicationInfo> end_;
  Alive alive_;
};

}  // namespace freshet::core
