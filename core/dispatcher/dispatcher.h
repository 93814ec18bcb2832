// Applications and jobs: accepts them, each id once; keeps their records, of those that have ended
// as many and as long as RecordLimits say; tells subscribers of every change, in order.
//
// A job's graph is kept before the job is accepted, and its result before anybody is told of its
// end (high_availability/kept_jobs.h): a new leader starts the jobs anew that an earlier one has
// accepted and that have not ended, and answers for those that have.
//
// Begin here; admission.cpp has what it takes and refuses, application.h one application with its
// main, job_master/job_master.h one job, job_manager.h the process around it.
//
// Threads    The control thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/application.h"
#include "dispatcher/earlier_jobs.h"
#include "dispatcher/ended_records.h"
#include "freshet/api.h"
#include "high_availability/kept_jobs.h"
#include "job_master/job_master.h"
#include "links/link.h"
#include "messages/messages.h"

namespace freshet::core {

class FRESHET_API Dispatcher final : private JobMasterListener, private ApplicationListener {
 public:
  struct Services {
    Attempt::Services jobs;
    RunnerServices& runners;
    KeptJobs& kept;
    RecordLimits records;
  };
  // `one_application`: it takes no second one, and keeps the record of the one. `on_change` is
  // called after every change that may leave it idle. All outlives it.
  Dispatcher(Services services, bool one_application, detail::UniqueFunction<void()> on_change);
  ~Dispatcher() override;

  void add_to(MessageTable& table);
  void link_opened(Link& link);
  void link_lost(Link& link, const std::string& reason);

  // `link`: of the submitter, if there is one. Throws InvalidInput.
  SubmitApplication::Answer submit(Link* link, SubmitApplication submission);
  Future<SubmitJob::Answer> submit(Link* link, const SubmitJob& submission);
  // From here on it takes submissions: its job manager leads. What earlier leaders have left is
  // taken over.
  void open(KeptJobs::Left left);
  // Its job manager leads no more: it takes nothing, and says nothing of what it does.
  void abandon();
  // Takes nothing any more, and cancels what runs.
  void close(const std::string& reason);

  // Nothing of an application or job runs, no process of them is left.
  bool idle() const;
  // There was one, and it has ended.
  bool application_has_ended() const;
  // How many times the end of an application has been told to somebody who waited for it.
  std::size_t ends_told() const { return ends_told_; }
  // Hashes of the files of what has not ended.
  std::set<std::string> needed_files() const;
  std::vector<ApplicationInfo> applications() const;
  std::vector<JobInfo> jobs() const;
  // Of an application or job that was here: its record is kept no longer.
  bool has_dropped(const std::string& id) const {
    return ended_applications_.dropped(id) || ended_jobs_.dropped(id) || earlier_.dropped(id);
  }

 private:
  Application& application(const std::string& id) const;
  JobMaster& job(const std::string& id) const;
  ApplicationInfo info_of(const Application& application) const;
  ListApplications::Answer list(const ListApplications& message) const;
  ListJobs::Answer list(const ListJobs& message) const;
  IdMatches find(const std::string& beginning) const;
  // One of which nothing is left but the results of its jobs, which ended under earlier leaders.
  std::optional<ApplicationInfo> earlier_application(const std::string& id) const;
  // A job whose graph is being kept.
  struct Accepting {
    std::unique_ptr<JobMaster> job;
    SubmitJob submission;  // without the graph
    Link* link;            // of the submitter, while it is there
    Promise<SubmitJob::Answer> promise;
    Future<SubmitJob::Answer> answer;
  };
  std::optional<SubmitJob::Answer> answer_of_known(const SubmitJob& submission,
                                                   const JobMaster& job) const;
  void check_may_run(const Link* link, const SubmitJob& submission, const JobMaster& job) const;
  void graph_is_kept(const std::string& job_id, const std::string& error);
  SubmitJob::Answer accept(Accepting accepting);
  void start_anew(const KeptGraph& graph);
  Application& application_of(const KeptGraph& graph);
  void add_job(std::unique_ptr<JobMaster> job, Application& application);
  Application& application_of(Link* link, const SubmitJob& submission, const JobMaster& job);
  // Of mains in clients.
  void begin(Link& link, const BeginApplication& message);
  void end(Link& link, const EndApplication& message);
  Application& add_application_at(Link& link, const BeginApplication& message, bool told);
  Application& add_application(std::unique_ptr<Application> application);
  void check_open() const;
  void check_not_dropped(const std::string& id) const;
  void note_end(const std::string& application_id);
  void drop_records();
  void drop_record(Application& application);
  void drop_record(JobMaster& job);
  void schedule_drop();
  std::int64_t now_ms() const;
  void subscribe(Link& link);
  void tell(const ClusterEvent& event);

  void job_changed(JobMaster& job) override;
  void job_ended(JobMaster& job) override;
  void job_gone(JobMaster& job) override;
  void keep_result(JobMaster& job, detail::UniqueFunction<void()> kept) override;
  void keep_commit(JobMaster& job, detail::UniqueFunction<void()> kept) override;
  void application_changed(Application& application) override;
  void application_ended(Application& application) override;

  const Services services_;
  const bool one_application_;
  detail::UniqueFunction<void()> on_change_;
  const std::int64_t since_ms_;
  bool leads_ = false, abandoned_ = false;
  std::string closed_;                            // why; empty: it is not
  std::vector<std::unique_ptr<JobMaster>> jobs_;  // in the order of their submission, as are these
  std::vector<std::unique_ptr<Application>> applications_;
  std::uint64_t last_number_ = 0;  // of what is in lists
  std::map<std::string, JobMaster*> job_by_id_;
  std::map<std::string, Application*> application_by_id_;
  std::map<std::string, Accepting> accepting_;  // by job id
  EarlierJobs earlier_;
  std::map<std::string, Link*> ends_with_;  // application by id: canceled when that link is lost
  std::vector<Link*> subscribers_;
  std::size_t ends_told_ = 0;
  EndedRecords ended_applications_, ended_jobs_;
  bool drops_ = false;          // it is posted
  bool waits_to_drop_ = false;  // there is a timer
  Alive alive_;
};

}  // namespace freshet::core
