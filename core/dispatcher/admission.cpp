// What a dispatcher takes, and what it refuses: applications, jobs, and mains in clients.
#include <algorithm>
#include <cassert>

#include "dispatcher/dispatcher.h"
#include "freshet/options.h"

namespace freshet::core {
namespace {

// Options of a client or of the cluster do not come with a job.
void check_scope(const std::map<std::string, std::string>& settings, const std::string& of) {
  Configuration all;
  for (const auto& [key, text] : settings) all.set_raw(key, text, Origin::main());
  const Configuration allowed = all.of_scope(Scope::kJob);
  for (const auto& [key, text] : settings) {
    if (allowed.contains(key)) continue;
    throw InvalidInput("option '" + key + "' (" + text + ") comes with " + of +
                       ", but is no option of jobs: set it where the cluster is started");
  }
  all.validate();
}

void check_id(const std::string& id, const char* what) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  constexpr std::size_t kLongest = 64;
  if (id.empty() || id.size() > kLongest || !std::all_of(id.begin(), id.end(), plain)) {
    throw InvalidInput("'" + id.substr(0, kLongest) + "' is no id of " + what +
                       ": 1 to 64 letters, digits, -, _ or . are expected");
  }
}

// Two clients with one application.id are two applications, of which the second one is none.
void check_main_is_of(const Link* link, const Application& application) {
  const std::string client = application.client_name();
  if (!link || client.empty() || application.main_is_of(link->peer())) return;
  throw InvalidInput("application.id '" + application.id() + "' is used by '" + application.name() +
                     "' of " + client + ": give this one another application.id, or none");
}

}  // namespace

void Dispatcher::check_open() const {
  if (abandoned_) {
    throw InvalidInput("this job manager leads no more: ask the one that does");
  }
  if (!leads_) throw InvalidInput("this job manager does not lead: ask the one that does");
  if (!closed_.empty()) throw InvalidInput("the cluster takes nothing any more: " + closed_);
}

Application& Dispatcher::add_application(std::unique_ptr<Application> application) {
  application->set_number(++last_number_);
  applications_.push_back(std::move(application));
  Application& added = *applications_.back();
  application_by_id_[added.id()] = &added;
  return added;
}

SubmitApplication::Answer Dispatcher::submit(Link* link, SubmitApplication submission) {
  if (submission.id.empty()) submission.id = services_.runners.ids.draw();
  check_id(submission.id, "an application");
  const auto known = application_by_id_.find(submission.id);
  if (known != application_by_id_.end()) {
    const Application& there = *known->second;
    if (submission.ticket.empty() || there.ticket() != submission.ticket) {
      throw InvalidInput("application id '" + submission.id + "' is known already: '" +
                         there.name() + "' is " + name_of(there.status()) +
                         ": give it another application.id, or none");
    }
    if (ends_with_.count(submission.id) && link) ends_with_[submission.id] = link;
    return {submission.id};
  }
  if (const auto* before = ended_applications_.dropped(submission.id)) {
    if (submission.ticket.empty() || before->ticket != submission.ticket) {
      throw InvalidInput("application id '" + submission.id + "' is known already: '" +
                         before->name + "' has ended: give it another application.id, or none");
    }
    return {submission.id};
  }
  check_open();
  if (one_application_ && !applications_.empty()) {
    throw InvalidInput("this cluster is application '" + applications_.front()->id() +
                       "' alone: submit '" + submission.name +
                       "' to a session, or let it have "
                       "a cluster of its own");
  }
  check_scope(submission.settings, "application '" + submission.name + "'");
  if (submission.name.empty()) submission.name = submission.main.name;
  ApplicationListener& listener = *this;
  Application& added = add_application(
      std::make_unique<Application>(services_.runners, submission.id, submission.name,
                                    submission.ticket, Application::Main::kRunner, listener));
  if (submission.ends_with_client && link) ends_with_[added.id()] = link;
  const std::string id = added.id();
  added.start(std::move(submission));
  return {id};
}

Future<SubmitJob::Answer> Dispatcher::submit(Link* link, const SubmitJob& submission) {
  JobMasterListener& listener = *this;
  auto made = std::make_unique<JobMaster>(
      services_.jobs, submission.job_graph,
      submission.application_id.empty() ? services_.runners.ids.draw() : submission.application_id,
      submission.ticket, listener);
  const std::string id = made->id();
  const auto accepting = accepting_.find(id);
  if (accepting != accepting_.end()) {
    const Accepting& there = accepting->second;
    if (!submission.ticket.empty() && there.submission.ticket == submission.ticket) {
      return there.answer;
    }
    throw InvalidInput("job id '" + id + "' is known already: '" + there.job->name() +
                       "' of application '" + there.job->application_id() + "' is being accepted");
  }
  if (const auto answer = answer_of_known(submission, *made)) return make_ready_future(*answer);
  check_open();
  for (const JobModule& module : made->shipped()) {
    if (!services_.runners.blobs.has(module.sha256)) {
      throw InvalidInput("module '" + module.name + "' (sha256 " + module.sha256 + ") of job '" +
                         made->name() + "' has not been uploaded: put it as a blob first");
    }
  }
  check_may_run(link, submission, *made);
  KeptGraph graph;
  graph.job_graph = submission.job_graph;
  graph.application_id = made->application_id();
  const auto application = application_by_id_.find(graph.application_id);
  graph.application_name = application != application_by_id_.end() ? application->second->name()
                           : !submission.application_name.empty()  ? submission.application_name
                                                                   : made->name();
  graph.ticket = submission.ticket;
  const bool in_client = application == application_by_id_.end()
                             ? link && !submission.application_id.empty()
                             : !application->second->client_name().empty();
  graph.main_in_runner =
      application != application_by_id_.end() && application->second->runs_in_runner();
  if (in_client && link) {
    graph.application_ticket = submission.application_ticket;
    graph.client_incarnation = link->peer().incarnation;
    graph.client_name = link->peer().name;
  }
  graph.since_ms = services_.jobs.thread.clock().wall_ms();
  Accepting added{std::move(made), submission, link, {}, {}};
  added.submission.job_graph.clear();
  added.answer = added.promise.future();
  Future<SubmitJob::Answer> answer = added.answer;
  accepting_.emplace(id, std::move(added));
  services_.kept.put_graph(id, graph, alive_.guard([this, id](const std::string& error) mutable {
    graph_is_kept(id, error);
  }));
  return answer;
}

// Nothing if it is new.
std::optional<SubmitJob::Answer> Dispatcher::answer_of_known(const SubmitJob& submission,
                                                             const JobMaster& job) const {
  const auto check = [&](const std::string& ticket, const std::string& what) {
    if (!submission.ticket.empty() && ticket == submission.ticket) return;
    throw InvalidInput("job id '" + job.id() + "' is known already: " + what);
  };
  const auto known = job_by_id_.find(job.id());
  if (known != job_by_id_.end()) {
    const JobMaster& there = *known->second;
    check(there.ticket(), "'" + there.name() + "' of application '" + there.application_id() +
                              "' is " + name_of(there.status()));
    return SubmitJob::Answer{there.id(), there.name(), there.application_id()};
  }
  if (const KeptResult* before = earlier_.find(job.id())) {
    check(before->ticket, "'" + before->result.job_name + "' of application '" +
                              before->application_id + "' is " + name_of(before->result.status));
    return SubmitJob::Answer{job.id(), before->result.job_name, before->application_id};
  }
  for (const auto* before : {ended_jobs_.dropped(job.id()), earlier_.dropped(job.id())}) {
    if (!before) continue;
    check(before->ticket,
          "'" + before->name + "' of application '" + before->application_id + "' has ended");
    return SubmitJob::Answer{job.id(), before->name, before->application_id};
  }
  return std::nullopt;
}

void Dispatcher::graph_is_kept(const std::string& job_id, const std::string& error) {
  auto found = accepting_.extract(job_id);
  assert(!found.empty());
  Promise<SubmitJob::Answer> promise = std::move(found.mapped().promise);
  try {
    if (!error.empty()) {
      throw InvalidInput("job '" + found.mapped().job->name() +
                         "' is not accepted, since its graph can't be stored: " + error +
                         ": see to the high-availability service of the cluster, then submit it "
                         "again");
    }
    promise.set_value(accept(std::move(found.mapped())));
  } catch (...) {
    if (error.empty()) services_.kept.remove_graph(job_id);
    promise.set_error(std::current_exception());
    on_change_();
  }
}

SubmitJob::Answer Dispatcher::accept(Accepting accepting) {
  // Time may have passed since it was asked.
  check_open();
  check_may_run(accepting.link, accepting.submission, *accepting.job);
  Application& application = application_of(accepting.link, accepting.submission, *accepting.job);
  JobMaster& job = *accepting.job;
  add_job(std::move(accepting.job), application);
  job.start();
  return {job.id(), job.name(), job.application_id()};
}

void Dispatcher::add_job(std::unique_ptr<JobMaster> added, Application& application) {
  JobMaster& job = *added;
  job.set_number(++last_number_);
  jobs_.push_back(std::move(added));
  job_by_id_[job.id()] = &job;
  application.add(job);
}

void Dispatcher::check_may_run(const Link* link, const SubmitJob& submission,
                               const JobMaster& job) const {
  const std::string& application_id = submission.application_id;
  const auto known = application_by_id_.find(application_id);
  if (known != application_by_id_.end()) {
    const std::string refused = known->second->refuses_jobs();
    if (!refused.empty()) throw InvalidInput("job '" + job.name() + "' comes too late: " + refused);
    check_main_is_of(link, *known->second);
    return;
  }
  if (const auto* before = ended_applications_.dropped(application_id)) {
    throw InvalidInput("job '" + job.name() + "' comes too late: application '" + application_id +
                       "' ('" + before->name + "') has ended");
  }
  if (one_application_) {
    throw InvalidInput("this cluster is one application alone: submit job '" + job.name() +
                       "' to a session");
  }
  if (!application_id.empty()) check_id(application_id, "an application");
}

// The one of a job that may run; a new one if need be.
Application& Dispatcher::application_of(Link* link, const SubmitJob& submission,
                                        const JobMaster& job) {
  const auto known = application_by_id_.find(submission.application_id);
  if (known != application_by_id_.end()) return *known->second;
  if (!submission.application_id.empty() && link) {
    const bool told = !submission.application_ticket.empty();
    return add_application_at(*link,
                              {submission.application_ticket, job.application_id(),
                               told ? submission.application_name : job.name()},
                              told);
  }
  ApplicationListener& listener = *this;
  Application& added = add_application(std::make_unique<Application>(
      services_.runners, job.application_id(), job.name(), "", Application::Main::kNone, listener));
  application_changed(added);
  return added;
}

// ---- mains in clients ---------------------------------------------------------------------------

void Dispatcher::begin(Link& link, const BeginApplication& message) {
  check_id(message.id, "an application");
  const auto refuse = [&](const std::string& by, const std::string& state) {
    throw InvalidInput("application.id '" + message.id + "' is used by " + by + ", which " + state +
                       ": give '" + message.name + "' another one, or none");
  };
  if (const auto known = application_by_id_.find(message.id); known != application_by_id_.end()) {
    const Application& there = *known->second;
    if (!message.ticket.empty() && there.ticket() == message.ticket) return;
    const std::string client = there.client_name();
    refuse("'" + there.name() + "'" + (client.empty() ? "" : " of " + client),
           std::string("is ") + name_of(there.status()));
  }
  if (const auto* before = ended_applications_.dropped(message.id)) {
    if (!message.ticket.empty() && before->ticket == message.ticket) return;
    refuse("'" + before->name + "'", "has ended");
  }
  check_open();
  if (one_application_) {
    throw InvalidInput("this cluster is one application alone: run '" + message.name +
                       "' on a session");
  }
  add_application_at(link, message, true);
}

Application& Dispatcher::add_application_at(Link& link, const BeginApplication& message,
                                            bool told) {
  ApplicationListener& listener = *this;
  Application& added = add_application(
      std::make_unique<Application>(services_.runners, message.id, message.name, message.ticket,
                                    Application::Main::kClient, listener));
  added.main_is_at(link, told);
  application_changed(added);
  return added;
}

void Dispatcher::end(Link& link, const EndApplication& message) {
  if (ended_applications_.dropped(message.id)) return;
  Application& ended = application(message.id);
  // Of one that was taken over from an earlier leader nobody knows where main is.
  if (ended.has_ended() || ended.client_name().empty()) return;
  if (!ended.main_is_of(link.peer())) {
    throw InvalidInput("the main of application '" + message.id + "' is not in " +
                       link.peer().name + ", which tells its end");
  }
  ended.main_has_ended(message);
}

}  // namespace freshet::core
