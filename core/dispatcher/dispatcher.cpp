#include "dispatcher/dispatcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>

#include "bounds/bounds.h"
#include "freshet/configuration.h"
#include "links/not_known.h"

namespace freshet::core {
namespace {

ClusterEvent event_of(const ApplicationInfo& info) {
  return {info.id, "", info.name, name_of(info.status), info.reason, is_terminal(info.status)};
}

ClusterEvent event_of(const JobInfo& info) {
  return {info.application_id,  info.job_id, info.job_name,
          name_of(info.status), info.detail, is_terminal(info.status)};
}

std::size_t size_of(const JobInfo& job) {
  constexpr std::size_t kRest = 200;  // the other fields, with their names
  return job.job_id.size() + job.job_name.size() + job.application_id.size() + job.detail.size() +
         kRest;
}

std::size_t size_of(const ApplicationInfo& info) {
  constexpr std::size_t kRest = 200;
  return info.id.size() + info.name.size() + info.reason.size() + kRest;
}

// A part of a list, far below the limit of a frame.
template <class Answer>
struct Page {
  bool is_full() const { return bytes >= std::size_t{1} << 20; }
  void added(std::uint64_t number, std::size_t size) {
    last = number;
    bytes += size;
  }
  Answer with_next() {
    answer.next = last;
    return std::move(answer);
  }

  Answer answer;
  std::uint64_t last = 0;
  std::size_t bytes = 0;
};

std::string not_known(const char* what, const std::string& id, const EndedRecords& ended,
                      std::size_t most) {
  std::string text = std::string(what) + " '" + id +
                     "' is not known here: this cluster keeps no records of what ran before its "
                     "job manager was started";
  if (ended.has_dropped()) {
    text += ", and of what has ended since those of the last " + std::to_string(most);
  }
  return text;
}

std::string kept_no_longer(const char* what, const std::string& id, const std::string& name,
                           const char* option, std::size_t most, std::int64_t age_ms) {
  return std::string("there is no record any more of ") + what + " '" + id + "' ('" + name +
         "'), which has ended: the last " + std::to_string(most) + " are kept (" + option +
         "), for " + ConfigValue<Duration>::format(milliseconds(age_ms)) +
         " at most (jobmanager.records.max-age)";
}

}  // namespace

Dispatcher::Dispatcher(Services services, bool one_application,
                       detail::UniqueFunction<void()> on_change)
    : services_(services),
      one_application_(one_application),
      on_change_(std::move(on_change)),
      since_ms_(services.jobs.thread.clock().wall_ms()),
      earlier_(services.records),
      ended_applications_(services.records.applications, services.records.age_ms),
      ended_jobs_(services.records.jobs, services.records.age_ms) {}

Dispatcher::~Dispatcher() { alive_.end(); }

void Dispatcher::add_to(MessageTable& table) {
  table.on<SubmitApplication>([this](Link& link, SubmitApplication submission) {
    return submit(&link, std::move(submission));
  });
  table.on<BeginApplication>([this](Link& link, const BeginApplication& message) {
    begin(link, message);
    return Done{};
  });
  table.on<EndApplication>([this](Link& link, const EndApplication& message) {
    end(link, message);
    return Done{};
  });
  table.on<ListApplications>(
      [this](Link&, const ListApplications& message) { return list(message); });
  table.on<DescribeApplication>([this](Link&, const DescribeApplication& message) {
    const auto earlier = earlier_application(message.id);
    return earlier ? *earlier : info_of(application(message.id));
  });
  table.on<FindIds>([this](Link&, const FindIds& message) { return find(message.beginning); });
  table.on<AwaitApplication>([this](Link&, const AwaitApplication& message) {
    const auto earlier = earlier_application(message.id);
    const auto ended = earlier ? make_ready_future(*earlier) : application(message.id).ended();
    return ended.then([this](const ApplicationInfo& info) {
      ++ends_told_;
      services_.jobs.thread.post("dispatcher: an end was told",
                                 alive_.guard([this] { on_change_(); }));
      return info;
    });
  });
  table.on<CancelApplication>([this](Link& link, const CancelApplication& message) {
    if (earlier_application(message.id)) return Done{};
    application(message.id).cancel("canceled by " + link.peer().name);
    return Done{};
  });
  table.on<SubmitJob>(
      [this](Link& link, const SubmitJob& submission) { return submit(&link, submission); });
  table.on<ListJobs>([this](Link&, const ListJobs& message) { return list(message); });
  table.on<DescribeJob>([this](Link&, const DescribeJob& message) {
    const KeptResult* earlier = earlier_.find(message.id);
    return earlier ? earlier->info() : job(message.id).info();
  });
  table.on<AwaitJob>([this](Link&, const AwaitJob& message) {
    const KeptResult* earlier = earlier_.find(message.id);
    return earlier ? make_ready_future(earlier->result) : job(message.id).ended();
  });
  table.on<CancelJob>([this](Link& link, const CancelJob& message) {
    if (earlier_.find(message.id)) return Done{};
    JobMaster& of = job(message.id);
    const std::string reason = "canceled by " + link.peer().name;
    if (message.force) {
      of.cancel_by_force(reason);
    } else if (of.is_committing()) {
      throw InvalidInput("job '" + of.name() + "' (" + of.id() +
                         ") is committing: it can't be canceled, because a part of its output may "
                         "be visible already: wait for its end, or end it by force ('fr cancel "
                         "--force')");
    } else {
      of.cancel(reason, application(of.application_id()).has_main_at(link.peer()));
    }
    return Done{};
  });
  table.on<GetJobDetails>([this](Link&, const GetJobDetails& message) {
    const KeptResult* earlier = earlier_.find(message.id);
    return earlier ? make_ready_future(EarlierJobs::details_of(*earlier))
                   : job(message.id).details();
  });
  table.on<GetAccumulators>([this](Link&, const GetAccumulators& message) {
    const KeptResult* earlier = earlier_.find(message.id);
    const auto values =
        earlier ? make_ready_future(earlier->result.accumulators) : job(message.id).accumulators();
    return values.then([](const AccumulatorValues& all) { return GetAccumulators::Answer{all}; });
  });
  table.on<NextMessage>([this](Link&, const NextMessage& message) {
    if (earlier_.find(message.job_id)) return make_ready_future(NextMessage::Answer{});
    return job(message.job_id)
        .next_message(message.after)
        .then([](const std::optional<JobMessage>& next) { return NextMessage::Answer{next}; });
  });
  table.on<CollectAddress>([this](Link&, const CollectAddress& message) {
    if (earlier_.find(message.job_id)) return make_ready_future(CollectAddress::Answer{});
    return job(message.job_id).collect_address(message);
  });
  table.on<KeepRows>([this](Link&, const KeepRows& message) {
    return KeepRows::Answer{earlier_.find(message.job_id) != nullptr ||
                            job(message.job_id).keep_rows(message)};
  });
  table.on<Subscribe>([this](Link& link, const Subscribe&) {
    subscribe(link);
    return Done{};
  });
}

// ---- leadership ---------------------------------------------------------------------------------

void Dispatcher::open(KeptJobs::Left left) {
  leads_ = true;
  for (KeptResult& result : left.results) {
    earlier_.add(std::move(result), ++last_number_, now_ms());
  }
  for (const KeptGraph& graph : left.jobs) start_anew(graph);
  // All of an application are there before the first one can end.
  const std::size_t jobs = jobs_.size();
  for (std::size_t i = 0; i < jobs; ++i) {
    const auto commit = left.commits.find(jobs_[i]->id());
    commit == left.commits.end() ? jobs_[i]->start()
                                 : jobs_[i]->start_to_commit(std::move(commit->second));
  }
  schedule_drop();
}

void Dispatcher::start_anew(const KeptGraph& graph) {
  JobMasterListener& listener = *this;
  std::unique_ptr<JobMaster> made;
  try {
    made = std::make_unique<JobMaster>(services_.jobs, graph.job_graph, graph.application_id,
                                       graph.ticket, listener);
  } catch (const std::exception& error) {
    spdlog::error(
        "a job of application '{}' ({}) can't be started anew, its graph stays stored: {}",
        graph.application_name, graph.application_id, error.what());
    return;
  }
  spdlog::info("job '{}' ({}), which an earlier leader has accepted, is started anew", made->name(),
               made->id());
  add_job(std::move(made), application_of(graph));
}

std::optional<ApplicationInfo> Dispatcher::earlier_application(const std::string& id) const {
  if (application_by_id_.count(id) > 0) return std::nullopt;
  const auto jobs = earlier_.of_application(id);
  if (jobs.empty()) return std::nullopt;
  return with_last_jobs(EarlierJobs::application_of(jobs));
}

// Main is not run again; one in a client goes on, if that comes.
Application& Dispatcher::application_of(const KeptGraph& graph) {
  using Main = Application::Main;
  const auto known = application_by_id_.find(graph.application_id);
  if (known != application_by_id_.end()) return *known->second;
  ApplicationListener& listener = *this;
  const bool in_client = !graph.client_incarnation.empty();
  Application& added = add_application(std::make_unique<Application>(
      services_.runners, graph.application_id, graph.application_name, graph.application_ticket,
      in_client ? Main::kClient : Main::kNone, listener));
  for (const KeptResult* job : earlier_.of_application(added.id()))
    added.job_ended_before(job->info(), job->canceled_by_main);
  if (graph.main_in_runner) added.main_was_lost();
  if (in_client) {
    added.main_was_at(graph.client_incarnation, graph.client_name,
                      !graph.application_ticket.empty());
  }
  return added;
}

void Dispatcher::abandon() {
  leads_ = false;
  abandoned_ = true;
}

void Dispatcher::close(const std::string& reason) {
  if (closed_.empty()) closed_ = reason;
  for (std::size_t i = 0; i < applications_.size(); ++i) applications_[i]->cancel(reason);
  // What is committing comes to its end, if it does so soon.
  // 'fr cluster stop' waits for twice as long, so that what is visible is named first.
  constexpr std::int64_t kPatienceMs = 15'000;
  services_.jobs.thread.after_ms(kPatienceMs, "dispatcher: commits", alive_.guard([this, reason] {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (jobs_[i]->is_committing()) jobs_[i]->cancel_by_force("ended because " + reason);
    }
  }));
}

// ---- records ------------------------------------------------------------------------------------

Application& Dispatcher::application(const std::string& id) const {
  const auto found = application_by_id_.find(id);
  if (found != application_by_id_.end()) return *found->second;
  check_not_dropped(id);
  throw NotKnown(not_known("application", id, ended_applications_, services_.records.applications));
}

JobMaster& Dispatcher::job(const std::string& id) const {
  const auto found = job_by_id_.find(id);
  if (found != job_by_id_.end()) return *found->second;
  check_not_dropped(id);
  throw NotKnown(not_known("job", id, ended_jobs_, services_.records.jobs));
}

// Whatever was asked for: who asks may not know which of the two it was.
void Dispatcher::check_not_dropped(const std::string& id) const {
  const RecordLimits& limits = services_.records;
  if (const auto* before = ended_applications_.dropped(id)) {
    throw InvalidInput(kept_no_longer("application", id, before->name,
                                      "jobmanager.records.max-applications", limits.applications,
                                      limits.age_ms));
  }
  if (const auto* before = ended_jobs_.dropped(id)) {
    throw InvalidInput(kept_no_longer("job", id, before->name, "jobmanager.records.max-jobs",
                                      limits.jobs, limits.age_ms));
  }
  if (const auto* before = earlier_.dropped(id)) {
    throw InvalidInput(kept_no_longer("job", id, before->name, "jobmanager.records.max-jobs",
                                      limits.jobs, limits.age_ms));
  }
}

std::vector<ApplicationInfo> Dispatcher::applications() const {
  std::vector<ApplicationInfo> infos;
  for (const auto& application : applications_) infos.push_back(info_of(*application));
  return infos;
}

ApplicationInfo Dispatcher::info_of(const Application& application) const {
  ApplicationInfo info = application.info();
  std::vector<JobInfo> jobs;
  for (const auto& [number, job] : earlier_.all()) {
    if (job->application_id == info.id) jobs.push_back(listed(job->info()));
  }
  info.jobs.insert(info.jobs.begin(), jobs.begin(), jobs.end());
  return with_last_jobs(std::move(info));
}

std::set<std::string> Dispatcher::needed_files() const {
  std::set<std::string> files;
  for (const auto& application : applications_) {
    if (!application->is_gone()) application->add_files(files);
  }
  for (const auto& job : jobs_) {
    if (job->is_gone()) continue;
    for (const JobModule& module : job->shipped()) files.insert(module.sha256);
  }
  for (const auto& [id, accepting] : accepting_) {
    for (const JobModule& module : accepting.job->shipped()) files.insert(module.sha256);
  }
  return files;
}

std::vector<JobInfo> Dispatcher::jobs() const {
  std::vector<JobInfo> infos;
  for (const auto& [number, job] : earlier_.all()) infos.push_back(job->info());
  for (const auto& job : jobs_) infos.push_back(job->info());
  return infos;
}

// ---- lists --------------------------------------------------------------------------------------

ListApplications::Answer Dispatcher::list(const ListApplications& message) const {
  Page<ListApplications::Answer> page;
  for (const auto& application : applications_) {
    if (application->number() <= message.after) continue;
    if (page.is_full()) return page.with_next();
    ApplicationInfo info = info_of(*application);
    info.reason = cut_to(kMostListedBytes, std::move(info.reason));
    std::size_t bytes = size_of(info);
    for (const JobInfo& job : info.jobs) bytes += size_of(job);
    page.answer.applications.push_back(std::move(info));
    page.added(application->number(), bytes);
  }
  return page.answer;
}

// Those of earlier leaders come first.
ListJobs::Answer Dispatcher::list(const ListJobs& message) const {
  Page<ListJobs::Answer> page;
  const auto add = [&page](std::uint64_t number, const JobInfo& job) {
    page.answer.jobs.push_back(listed(job));
    page.added(number, size_of(page.answer.jobs.back()));
  };
  for (auto each = earlier_.all().upper_bound(message.after); each != earlier_.all().end();
       ++each) {
    if (page.is_full()) return page.with_next();
    add(each->first, each->second->info());
  }
  for (const auto& job : jobs_) {
    if (job->number() <= message.after) continue;
    if (page.is_full()) return page.with_next();
    add(job->number(), job->info());
  }
  return page.answer;
}

IdMatches Dispatcher::find(const std::string& beginning) const {
  constexpr std::size_t kMostMatches = 10;
  IdMatches found;
  // A whole id stands for itself, also if others begin so.
  const bool is_whole = application_by_id_.count(beginning) || job_by_id_.count(beginning) ||
                        earlier_.find(beginning);
  const auto fits = [&](const std::string& id) {
    return is_whole ? id == beginning : id.starts_with(beginning);
  };
  const auto in = [&](const auto& by_id, const auto& take) {
    for (auto each = by_id.lower_bound(beginning); each != by_id.end() && fits(each->first);
         ++each) {
      if (++found.count <= kMostMatches) take(each->second);
    }
  };
  in(application_by_id_, [&](const Application* each) {
    found.applications.push_back(each->info());
    found.applications.back().jobs.clear();
  });
  in(job_by_id_, [&](const JobMaster* each) { found.jobs.push_back(each->info()); });
  in(earlier_.by_id(),
     [&](const EarlierJobs::Entry& each) { found.jobs.push_back(each.result.info()); });
  if (found.count == 0) check_not_dropped(beginning);
  return found;
}

// ---- records, their end -------------------------------------------------------------------------

std::int64_t Dispatcher::now_ms() const {
  return services_.jobs.thread.clock().now_ns() / 1'000'000;
}

// What has ended is kept from the time on at which nothing of it is left.
void Dispatcher::note_end(const std::string& application_id) {
  const auto found = application_by_id_.find(application_id);
  if (found == application_by_id_.end() || !found->second->is_gone()) return;
  const auto& jobs = found->second->jobs();
  const bool all_gone =
      std::all_of(jobs.begin(), jobs.end(), [](const JobMaster* job) { return job->is_gone(); });
  if (!all_gone) return;
  if (!one_application_) ended_applications_.add(application_id, now_ms());
  schedule_drop();
}

// Not at once: what has ended is still being told of.
void Dispatcher::schedule_drop() {
  ControlThread& thread = services_.jobs.thread;
  if (drops_) return;
  if (!ended_applications_.due(now_ms()).empty() || !ended_jobs_.due(now_ms()).empty() ||
      !earlier_.due(now_ms()).empty()) {
    drops_ = true;
    thread.post("dispatcher: records", alive_.guard([this] {
      drops_ = false;
      drop_records();
      schedule_drop();
    }));
    return;
  }
  std::int64_t next = -1;
  for (const std::int64_t each :
       {ended_applications_.next_ms(), ended_jobs_.next_ms(), earlier_.next_ms()}) {
    if (each >= 0 && (next < 0 || each < next)) next = each;
  }
  if (next < 0 || waits_to_drop_) return;
  waits_to_drop_ = true;
  thread.after_ms(next - now_ms(), "dispatcher: records", alive_.guard([this] {
    waits_to_drop_ = false;
    schedule_drop();
  }));
}

void Dispatcher::drop_records() {
  const std::int64_t now = now_ms();
  for (std::string id = ended_applications_.due(now); !id.empty();
       id = ended_applications_.due(now)) {
    drop_record(*application_by_id_.at(id));
  }
  for (std::string id = ended_jobs_.due(now); !id.empty(); id = ended_jobs_.due(now)) {
    JobMaster& job = *job_by_id_.at(id);
    application(job.application_id()).forget(job);
    drop_record(job);
  }
  for (std::string id = earlier_.due(now); !id.empty(); id = earlier_.due(now)) {
    earlier_.drop(id);
    services_.kept.remove_result(id);
  }
}

void Dispatcher::drop_record(Application& application) {
  assert(application.is_gone());
  for (JobMaster* job : application.jobs()) drop_record(*job);
  const std::string id = application.id();
  spdlog::debug("the record of application '{}' ({}) is dropped", application.name(), id);
  ended_applications_.drop(id, {application.ticket(), application.name(), ""});
  application_by_id_.erase(id);
  std::erase_if(applications_, [&](const auto& each) { return each.get() == &application; });
}

void Dispatcher::drop_record(JobMaster& job) {
  assert(job.is_gone());
  const std::string id = job.id();
  ended_jobs_.drop(id, {job.ticket(), job.name(), job.application_id()});
  services_.kept.remove_result(id);
  job_by_id_.erase(id);
  std::erase_if(jobs_, [&](const auto& each) { return each.get() == &job; });
}

bool Dispatcher::idle() const {
  return accepting_.empty() &&
         std::all_of(applications_.begin(), applications_.end(),
                     [](const auto& application) { return application->is_gone(); }) &&
         std::all_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->is_gone(); });
}

bool Dispatcher::application_has_ended() const {
  return !applications_.empty() && applications_.front()->has_ended();
}

// ---- what happens -------------------------------------------------------------------------------

void Dispatcher::link_opened(Link& link) {
  for (std::size_t i = 0; i < applications_.size(); ++i) applications_[i]->link_opened(link);
}

void Dispatcher::link_lost(Link& link, const std::string& reason) {
  std::erase(subscribers_, &link);
  for (std::size_t i = 0; i < applications_.size(); ++i) applications_[i]->link_lost(link, reason);
  for (auto& [id, accepting] : accepting_) {
    if (accepting.link == &link) accepting.link = nullptr;
  }
  std::vector<std::string> orphans;
  for (const auto& [id, client] : ends_with_) {
    if (client == &link) orphans.push_back(id);
  }
  for (const std::string& id : orphans) {
    ends_with_.erase(id);
    application(id).cancel("the client that it ends with has gone");
  }
}

void Dispatcher::subscribe(Link& link) {
  if (std::find(subscribers_.begin(), subscribers_.end(), &link) == subscribers_.end()) {
    subscribers_.push_back(&link);
  }
  for (const auto& application : applications_) {
    link.send(Event{event_of(application->info())});
    for (const JobMaster* job : application->jobs()) link.send(Event{event_of(job->info())});
  }
}

void Dispatcher::tell(const ClusterEvent& event) {
  if (abandoned_) return;
  for (Link* subscriber : subscribers_) subscriber->send(Event{event});
}

void Dispatcher::job_changed(JobMaster& job) { tell(event_of(job.info())); }

void Dispatcher::keep_result(JobMaster& job, detail::UniqueFunction<void()> kept) {
  const JobInfo info = job.info_of_end();
  const KeptResult result{job.result(),
                          info.application_id,
                          job.ticket(),
                          info.detail,
                          info.since_ms,
                          info.ended_ms,
                          application(info.application_id).name(),
                          job.was_canceled_by_main()};
  const auto once = std::make_shared<detail::UniqueFunction<void()>>(std::move(kept));
  // The job stays at least until its end is kept.
  services_.kept.put_result(
      result, alive_.guard([once] { (*once)(); }),
      alive_.guard([&job](const std::string& error) { job.keeping_fails(error); }));
}

void Dispatcher::keep_commit(JobMaster& job, detail::UniqueFunction<void()> kept) {
  const auto once = std::make_shared<detail::UniqueFunction<void()>>(std::move(kept));
  services_.kept.put_commit(job.id(), job.commit(), alive_.guard([once] { (*once)(); }),
                            alive_.guard([this, id = job.id()](const std::string& error) {
                              // It may have been ended by force meanwhile.
                              const auto found = job_by_id_.find(id);
                              if (found != job_by_id_.end()) found->second->keeping_fails(error);
                            }));
}

void Dispatcher::job_ended(JobMaster& job) { application(job.application_id()).job_ended(job); }

void Dispatcher::job_gone(JobMaster& job) {
  ended_jobs_.add(job.id(), now_ms());
  note_end(job.application_id());
  schedule_drop();
  on_change_();
}

void Dispatcher::application_changed(Application& application) {
  tell(event_of(application.info()));
  if (!application.is_gone()) return;
  note_end(application.id());
  on_change_();
}

void Dispatcher::application_ended(Application& application) { ends_with_.erase(application.id()); }

}  // namespace freshet::core
