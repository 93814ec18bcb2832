#include "dispatcher/job_manager.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>

#include "freshet/api.h"
#include "network/endpoint.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {

JobManager::JobManager(JobManagerServices services,
                       std::unique_ptr<HighAvailability> high_availability,
                       JobManagerOptions options, OnEnd on_end)
    : services_(services),
      options_(std::move(options)),
      on_end_(std::move(on_end)),
      since_ms_(services.thread.clock().wall_ms()),
      leadership_(services.thread, std::move(high_availability), options_.name),
      task_managers_(services.thread, resources_, services.transport, services.ids),
      runners_{services.thread,   services.transport,      services.spawner,
               services.blobs,    services.fetcher,        services.ids,
               options_.program,  options_.cluster_id,     {},
               options_.settings, options_.client_grace_ms} {
  dispatcher_ = std::make_unique<Dispatcher>(
      Dispatcher::Services{{services_.thread, resources_, task_managers_},
                           runners_,
                           leadership_.jobs(),
                           options_.records},
      options_.one_application, [this] { check_end(); });
  if (services_.supply && options_.on_demand.most > 0) {
    on_demand_ = std::make_unique<OnDemand>(services_.thread, resources_, task_managers_,
                                            *services_.supply, options_.on_demand);
  }
  add_to_table();
  PeerInfo self;
  self.role = Role::kJobManager;
  self.name = options_.name;
  self.incarnation = options_.incarnation.empty() ? services_.ids.draw() : options_.incarnation;
  links_ = std::make_unique<Links>(services_.thread, services_.transport, self, options_.links);
}

JobManager::~JobManager() {
  alive_.end();
  if (sweep_) sweep_->stop();
  dispatcher_.reset();
  on_demand_.reset();
  task_managers_.stop_listening();
  links_.reset();
}

// ---- leadership ---------------------------------------------------------------------------------

void JobManager::start(detail::UniqueFunction<void(const Address&)> on_lead) {
  on_lead_ = std::move(on_lead);
  starts_ = true;
  leadership_.campaign(
      [this] {
        if (!ending_.empty()) return;
        spdlog::info("the job manager of cluster '{}' leads, term {}", options_.cluster_id,
                     leadership_.term());
        leadership_.jobs().read(
            alive_.guard([this](KeptJobs::Left left) { serve(std::move(left)); }));
      },
      alive_.guard([this](const std::string& reason) { give_way(reason); }));
  starts_ = false;
  if (start_failure_) std::rethrow_exception(start_failure_);
  if (!leadership_.leads()) {
    spdlog::info("the job manager of cluster '{}' stands by until it leads: {}",
                 options_.cluster_id, leadership_.describe());
  }
}

void JobManager::serve(KeptJobs::Left left) {
  if (!ending_.empty()) return;
  if (left.end && left.end->at_ms >= since_ms_) {
    spdlog::info("the job manager of cluster '{}' ends: {}", options_.cluster_id, left.end->reason);
    ending_ = left.end->reason;
    hand_over(ending_);
    return;
  }
  if (left.end) leadership_.jobs().remove_end();
  Address address;
  try {
    LinkListener& listener = *this;
    address = links_->listen(options_.endpoint, table_, listener);
    address.endpoint = told_endpoint(address.endpoint, options_.told_host);
  } catch (const InvalidInput& error) {
    if (starts_) {
      start_failure_ = std::current_exception();
    } else {
      give_way(std::string("it can't listen: ") + error.what());
    }
    return;
  }
  runners_.job_manager = address;
  spdlog::info("the job manager of cluster '{}' listens on {}", options_.cluster_id,
               address.endpoint);
  // Files are kept for all that may lead, in one folder if they are on one host.
  sweep_ = std::make_unique<BlobSweep>(services_.thread, services_.blobs, options_.blob_max_idle_ms,
                                       [this] { return dispatcher_->needed_files(); });
  dispatcher_->open(std::move(left));
  serves_ = true;
  leadership_.publish(address, alive_.guard([this, address] {
    if (auto on_lead = std::move(on_lead_)) on_lead(address);
  }));
}

void JobManager::hand_over(const std::string& reason) {
  if (ended_) return;
  ended_ = true;
  dispatcher_->abandon();
  leadership_.give_up(alive_.guard([this, reason] { tell_end(reason); }));
}

// Nothing is told or ended: that is for the one that leads now.
void JobManager::give_way(const std::string& reason) {
  if (ended_) return;
  ended_ = leads_no_more_ = true;
  if (on_demand_) on_demand_->stop();
  spdlog::error("the job manager of cluster '{}' leads no more: {}", options_.cluster_id, reason);
  dispatcher_->abandon();
  tell_end("it leads no more: " + reason);
}

std::string JobManager::submit(SubmitApplication submission) {
  return dispatcher_->submit(nullptr, std::move(submission)).id;
}

void JobManager::add_to_table() {
  dispatcher_->add_to(table_);
  task_managers_.add_to(table_);
  table_.on<GetClusterStatus>([this](Link&, const GetClusterStatus&) { return status(); });
  table_.on<ShutDown>([this](Link& link, const ShutDown&) {
    shut_down_askers_.emplace_back();
    auto answer = shut_down_askers_.back().future();
    shut_down("the cluster was shut down by " + link.peer().name);
    return answer;
  });
  table_.on<ReleaseTaskManagers>([this](Link&, const ReleaseTaskManagers& message) {
    return ReleaseTaskManagers::Answer{task_managers_.release(message.names, message.count)};
  });
  table_.on<PutBlob>(
      [this](Link& link, const PutBlob& message) { return put_blob(link, message); });
  table_.on<BlobChunk>([this](Link& link, const BlobChunk& message) {
    blob_chunk(link, message);
    return Done{};
  });
  table_.on<GetBlob>([this](Link&, const GetBlob& message) { return get_blob(message); });
  table_.on<ReadLog>([this](Link&, const ReadLog& message) { return read_log(message); });
}

// ---- peers --------------------------------------------------------------------------------------

void JobManager::link_opened(Link& link) {
  spdlog::debug("{} '{}' is connected", name_of(link.peer().role), link.peer().name);
  if (link.peer().role == Role::kClient) {
    clients_.push_back(&link);
    if (says_goodbye_) say_goodbye_to(link);
  }
  dispatcher_->link_opened(link);
}

void JobManager::link_lost(Link& link, const std::string& reason) {
  peer_log_.info(std::string(name_of(link.peer().role)) + " '" + link.peer().name +
                 "' is gone: " + reason);
  std::erase(clients_, &link);
  std::erase_if(uploads_, [&](const auto& upload) { return upload.second.link == &link; });
  task_managers_.link_lost(link, reason);
  dispatcher_->link_lost(link, reason);
  check_end();
}

ClusterInfo JobManager::status() const {
  ClusterInfo info;
  info.id = options_.cluster_id;
  info.version = FRESHET_VERSION_STRING;
  info.process_id = options_.process_id;
  info.since_ms = since_ms_;
  info.task_managers = task_managers_.infos();
  return info;
}

// ---- files --------------------------------------------------------------------------------------

PutBlob::Answer JobManager::put_blob(Link& link, const PutBlob& message) {
  PutBlob::Answer answer;
  answer.known = services_.blobs.has(message.sha256);
  sweep_->used(message.sha256);
  if (answer.known) return answer;
  if (message.size > options_.largest_blob) {
    throw InvalidInput("a file of " + std::to_string(message.size) +
                       " bytes is above the limit of this cluster, " +
                       std::to_string(options_.largest_blob));
  }
  constexpr std::size_t kMostUploads = 1'000;
  if (uploads_.size() >= kMostUploads) {
    throw InvalidInput(std::to_string(uploads_.size()) +
                       " files are being uploaded to this cluster, its limit: try again later");
  }
  auto writer = services_.blobs.begin(message.sha256, message.size);
  if (message.size == 0) {
    writer->finish();
    answer.known = true;
    return answer;
  }
  answer.upload = ++last_upload_;
  uploads_[answer.upload] = {&link, std::move(writer)};
  return answer;
}

void JobManager::blob_chunk(Link& link, const BlobChunk& message) {
  const auto found = uploads_.find(message.upload);
  if (found == uploads_.end() || found->second.link != &link) {
    throw InvalidInput("upload " + std::to_string(message.upload) + " is not open on this link");
  }
  BlobWriter& writer = *found->second.writer;
  try {
    if (message.bytes.size() > kBlobChunk || message.offset != writer.received()) {
      throw InvalidInput("a chunk of " + std::to_string(message.bytes.size()) +
                         " bytes from offset " + std::to_string(message.offset) +
                         " does not follow " + std::to_string(writer.received()) +
                         " bytes; the limit of a chunk is " + std::to_string(kBlobChunk));
    }
    writer.append(message.bytes);
    if (writer.received() < writer.size()) return;
    writer.finish();
  } catch (...) {
    uploads_.erase(found);
    throw;
  }
  uploads_.erase(found);
}

GetBlob::Answer JobManager::get_blob(const GetBlob& message) {
  GetBlob::Answer answer;
  answer.size = services_.blobs.size_of(message.sha256);
  sweep_->used(message.sha256);
  if (message.offset > answer.size) {
    throw InvalidInput("offset " + std::to_string(message.offset) + " is beyond the " +
                       std::to_string(answer.size) + " bytes of file " + message.sha256);
  }
  const bool small = takes_rare_path(RarePath::kModuleInSmallChunks);
  answer.bytes =
      services_.blobs.read(message.sha256, message.offset, small ? kBlobChunk / 8 : kBlobChunk);
  return answer;
}

Future<LogChunk> JobManager::read_log(const ReadLog& message) {
  const std::string kMainPrefix = "main:";
  if (message.process == "jobmanager") {
    return make_ready_future(services_.spawner.read_log(message.process, message.from));
  }
  if (message.process.rfind(kMainPrefix, 0) == 0) {
    return make_ready_future(services_.spawner.read_log(
        "main-" + message.process.substr(kMainPrefix.size()), message.from));
  }
  Link* link = task_managers_.link_for_log(message.process);
  if (!link) {
    throw InvalidInput("no process '" + message.process +
                       "' is known here: jobmanager, main:<application id>, the id of a task "
                       "manager or <job id>:<worker> are");
  }
  constexpr std::int64_t kPatienceMs = 5'000;
  return link->ask(message, kPatienceMs);
}

// ---- its end ------------------------------------------------------------------------------------

void JobManager::shut_down(const std::string& reason) {
  if (ended_) return;
  if (ending_.empty()) {
    spdlog::info("the job manager of cluster '{}' ends: {}", options_.cluster_id, reason);
    ending_ = reason;
    if (on_demand_) on_demand_->stop();
    dispatcher_->close(reason);
  }
  check_end();
}

void JobManager::check_end() {
  if (ended_) return;
  if (ending_.empty() && options_.one_application && dispatcher_->application_has_ended() &&
      dispatcher_->idle()) {
    // Whoever was told still fetches the last of what main has printed.
    const bool all_left = dispatcher_->ends_told() > 0 && clients_.empty();
    if (all_left || options_.linger_ms == 0 || lingered_) {
      shut_down("its application has ended");
    } else if (!lingers_) {
      lingers_ = true;
      services_.thread.after_ms(options_.linger_ms, "job manager: nobody asks",
                                alive_.guard([this] {
                                  lingered_ = true;
                                  check_end();
                                }));
    }
    return;
  }
  if (ending_.empty() || !dispatcher_->idle()) return;
  if (!task_managers_told_) {
    task_managers_told_ = true;
    task_managers_.end_all(ending_);
    services_.thread.after_ms(options_.links.heartbeat_timeout_ms, "job manager: end",
                              alive_.guard([this] {
                                waited_enough_ = true;
                                check_end();
                              }));
  }
  if (task_managers_.size() == 0 || waited_enough_) end();
}

void JobManager::end() {
  ended_ = true;
  const std::function<void()> finish = alive_.guard([this] {
    std::vector<Promise<Done>> askers = std::move(shut_down_askers_);
    for (Promise<Done>& asker : askers) asker.set_value(Done{});
    say_goodbye();
  });
  if (!leadership_.leads()) {
    finish();
    return;
  }
  leadership_.jobs().put_end({ending_, services_.thread.clock().wall_ms()}, finish);
}

// Whoever waited has its answer by now. But what is under way to it is lost if the connection ends
// before it is read, as when the client's host is busy: so each client says that it has heard.
void JobManager::say_goodbye() {
  says_goodbye_ = true;
  const std::vector<Link*> clients = clients_;
  ++unheard_;
  for (Link* client : clients) say_goodbye_to(*client);
  --unheard_;
  check_heard();
}

void JobManager::say_goodbye_to(Link& client) {
  ++unheard_;
  alive_.on_done(client.ask(ClusterEnds{ending_}, options_.links.heartbeat_timeout_ms),
                 [this](const Future<Done>&) {
                   --unheard_;
                   check_heard();
                 });
}

void JobManager::check_heard() {
  if (unheard_ > 0) return;
  says_goodbye_ = false;
  leadership_.give_up(alive_.guard([this] { tell_end(ending_); }));
}

// What called us may still be on its way out of a link or a job.
void JobManager::tell_end(const std::string& why) {
  services_.thread.post("job manager: ended", alive_.guard([this, why] {
    OnEnd on_end = std::move(on_end_);
    on_end(why);
  }));
}

}  // namespace freshet::core
