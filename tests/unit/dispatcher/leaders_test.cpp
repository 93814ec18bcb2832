// Two job managers over one high-availability service, whole clusters in simulated time: one leads,
// the other takes over, and what was accepted or told by the first holds.
#include <gtest/gtest.h>

#include "rare_path_counts.h"
#include "scale.h"
#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

SimulatedClusterOptions two_job_managers() {
  SimulatedClusterOptions options;
  options.job_managers = 2;
  return options;
}

JobBehaviour runs_for(std::int64_t milliseconds) {
  JobBehaviour behaviour;
  behaviour.runs_ms = milliseconds;
  return behaviour;
}

class Leaders : public ::testing::Test {
 protected:
  Leaders() : scenario(two_job_managers()) {}

  bool leads(std::uint32_t number) {
    const JobManager* manager = scenario.cluster.job_manager(number);
    return manager != nullptr && manager->leads();
  }
  // Until the job is in that state, as that job manager has it.
  bool becomes(std::uint32_t number, const std::string& job_id, JobStatus status) {
    return scenario.cluster.run_until(
        [&] {
          const JobManager* manager = scenario.cluster.job_manager(number);
          if (manager == nullptr) return false;
          for (const JobInfo& job : manager->dispatcher().jobs()) {
            if (job.job_id == job_id) return job.status == status;
          }
          return false;
        },
        60'000);
  }
  std::unique_ptr<JobClient> submit(int number, const JobBehaviour& behaviour) {
    return scenario.wait(scenario.client.submit_job(Scenario::job(number, 2, behaviour), ""));
  }

  Scenario scenario;
  HighAvailabilityInMemory& service = scenario.cluster.high_availability();
};

TEST_F(Leaders, ASecondJobManagerStandsByUntilTheFirstIsGone) {
  scenario.cluster.run_for(5'000);
  EXPECT_TRUE(leads(0));
  EXPECT_FALSE(leads(1));
  const LeaderAddress first = service.address();
  EXPECT_EQ(first.candidate, "job manager 1");
  EXPECT_EQ(first.term, 1u);
  scenario.cluster.crash_job_manager();
  ASSERT_TRUE(scenario.cluster.run_until([&] { return leads(1); }, 60'000));
  const LeaderAddress second = service.address();
  EXPECT_EQ(second.candidate, "job manager 2");
  EXPECT_EQ(second.term, 2u);
  EXPECT_NE(second.endpoint, first.endpoint);
  EXPECT_EQ(second.public_key, first.public_key) << "of the cluster";
  // Client and task managers find it.
  EXPECT_EQ(scenario.wait(submit(1, {})->result()).status, JobStatus::kFinished);
  scenario.cluster.start_job_manager();
  scenario.cluster.run_for(5'000);
  EXPECT_FALSE(leads(0)) << "what comes back stands by";
  EXPECT_TRUE(leads(1));
}

TEST_F(Leaders, TheNextOneStartsAnewWhatRunsAndItsClientIsToldTheEnd) {
  const auto job = submit(1, runs_for(20'000));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  EXPECT_EQ(service.job_graphs().size(), 1u);
  const auto end = job->result();
  scenario.cluster.crash_job_manager();
  ASSERT_TRUE(becomes(1, job->job_id(), JobStatus::kRunning));
  const JobResult result = scenario.wait(end);
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.job_name, "job 1");
  EXPECT_TRUE(service.job_graphs().empty());
  EXPECT_EQ(service.results_put(job->job_id()), 1u);
  const auto applications = scenario.wait(scenario.client.applications());
  ASSERT_EQ(applications.size(), 1u);
  EXPECT_EQ(applications[0].status, ApplicationStatus::kFinished);
}

TEST_F(Leaders, AMainInAClientGoesOnUnderTheNext) {
  auto& here = scenario.cluster.add_client("here");
  const std::string id = Scenario::id(77);
  scenario.wait(here.cluster().mains()->begin(id, "app.so", "ticket"));
  const auto first =
      scenario.wait(here.cluster().submit_job(Scenario::job(1, 1, runs_for(5'000)), id));
  ASSERT_TRUE(becomes(0, first->job_id(), JobStatus::kRunning));
  scenario.cluster.crash_job_manager();
  EXPECT_EQ(scenario.wait(first->result()).status, JobStatus::kFinished);
  EXPECT_EQ(scenario.wait(scenario.client.application(id)).status, ApplicationStatus::kRunning)
      << "main has not returned";
  const auto second = scenario.wait(here.cluster().submit_job(Scenario::job(2, 1, {}), id));
  EXPECT_EQ(scenario.wait(second->result()).status, JobStatus::kFinished);
  scenario.wait(here.cluster().mains()->end(id, 0, {true, false, ""}));
  const ApplicationInfo info = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(info.status, ApplicationStatus::kFinished);
  EXPECT_EQ(info.name, "app.so");
}

TEST_F(Leaders, AnApplicationThatComesBackHasItsJobsThatEndedBefore) {
  auto& here = scenario.cluster.add_client("here");
  const std::string id = Scenario::id(77);
  scenario.wait(here.cluster().mains()->begin(id, "app.so", "ticket"));
  const auto ended = scenario.wait(here.cluster().submit_job(Scenario::job(1, 1, {}), id));
  ASSERT_EQ(scenario.wait(ended->result()).status, JobStatus::kFinished);
  const auto runs =
      scenario.wait(here.cluster().submit_job(Scenario::job(2, 1, runs_for(20'000)), id));
  const auto alone = submit(3, {});  // its application has ended
  ASSERT_EQ(scenario.wait(alone->result()).status, JobStatus::kFinished);
  ASSERT_TRUE(becomes(0, runs->job_id(), JobStatus::kRunning));
  scenario.cluster.crash_job_manager();
  ASSERT_TRUE(becomes(1, runs->job_id(), JobStatus::kRunning));
  const auto applications = scenario.wait(scenario.client.applications());
  ASSERT_EQ(applications.size(), 1u);
  EXPECT_EQ(applications[0].id, id);
  ASSERT_EQ(applications[0].jobs.size(), 2u);
  EXPECT_EQ(applications[0].jobs[0].job_id, ended->job_id());
  EXPECT_EQ(applications[0].jobs[0].status, JobStatus::kFinished);
  EXPECT_EQ(applications[0].jobs[1].job_id, runs->job_id());
}

TEST_F(Leaders, AResultOutlivesItsLeaderAndItsIdStaysUsed) {
  const auto finished = submit(1, {});
  JobBehaviour fails;
  fails.fails_one_in = 1;
  const auto failed = submit(2, fails);
  const JobResult first = scenario.wait(finished->result());
  const JobResult second = scenario.wait(failed->result());
  ASSERT_EQ(second.status, JobStatus::kFailed);
  scenario.cluster.crash_job_manager();
  ASSERT_TRUE(scenario.cluster.run_until([&] { return leads(1); }, 60'000));

  const JobResult again = scenario.wait(finished->result());
  EXPECT_EQ(again.status, JobStatus::kFinished);
  EXPECT_EQ(again.duration_ms, first.duration_ms);
  EXPECT_EQ(again.accumulators.at("subtasks").count, first.accumulators.at("subtasks").count);
  EXPECT_EQ(scenario.wait(failed->result()).failure->message, second.failure->message);
  EXPECT_EQ(scenario.wait(failed->status()), JobStatus::kFailed);
  EXPECT_EQ(scenario.wait(finished->details()).running_ms, first.duration_ms);
  EXPECT_EQ(scenario.wait(finished->accumulators()).at("subtasks").count, 2u);
  scenario.wait(finished->cancel());  // too late, as ever
  EXPECT_EQ(scenario.wait(finished->status()), JobStatus::kFinished);
  const auto jobs = scenario.wait(scenario.client.jobs());
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_FALSE(jobs[0].application_id.empty());
  EXPECT_GT(jobs[0].ended_ms, 0);
  const std::string refused =
      scenario.error(scenario.client.submit_job(Scenario::job(1, 2, {}), ""));
  EXPECT_NE(refused.find("is known already: 'job 1' of application '"), std::string::npos)
      << refused;
  EXPECT_NE(refused.find("' is finished"), std::string::npos) << refused;
}

TEST_F(Leaders, AnEndThatAFormerLeaderCantStoreIsToldToNobody) {
  const auto job = submit(1, runs_for(5'000));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  const auto end = job->result();
  service.expire_leader();  // and the former one does not know yet
  EXPECT_TRUE(scenario.cluster.run_until([&] { return service.writes_refused() > 0; }, 20'000));
  EXPECT_FALSE(end.ready());
  EXPECT_FALSE(leads(0)) << "it knows now";
  const JobResult result = scenario.wait(end);
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(service.results_put(job->job_id()), 1u) << "by the one that leads";
  EXPECT_TRUE(scenario.cluster.run_until([&] { return !scenario.cluster.job_manager(0); }, 60'000))
      << "it ends";
  EXPECT_TRUE(leads(1));
}

TEST_F(Leaders, AFormerLeaderAcceptsNothing) {
  scenario.cluster.run_for(1'000);
  service.expire_leader();
  // The client still has its link to the former one.
  const std::string refused =
      scenario.error(scenario.client.submit_job(Scenario::job(1, 2, {}), ""));
  EXPECT_NE(refused.find("job 'job 1' is not accepted, since its graph can't be stored: term 1 is "
                         "over: term 2 was granted since"),
            std::string::npos)
      << refused;
  EXPECT_EQ(service.job_graphs().size(), 0u);
  ASSERT_TRUE(scenario.cluster.run_until([&] { return leads(1); }, 60'000));
  ASSERT_TRUE(scenario.cluster.run_until([&] { return !scenario.cluster.job_manager(0); }, 60'000));
  EXPECT_EQ(scenario.wait(submit(1, {})->result()).status, JobStatus::kFinished);
}

TEST_F(Leaders, OneWhoseSessionHasExpiredEndsAndLeavesTheClusterToTheNext) {
  const auto job = submit(1, runs_for(-1));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  service.expire_leader();
  service.tell_expired();
  ASSERT_TRUE(scenario.cluster.run_until([&] { return !scenario.cluster.job_manager(0); }, 60'000));
  ASSERT_TRUE(becomes(1, job->job_id(), JobStatus::kRunning));
  EXPECT_EQ(scenario.cluster.processes("task manager"), 2u) << "the cluster has not ended";
  scenario.wait(job->cancel());
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kCanceled);
}

TEST_F(Leaders, AStoreThatFailsRefusesASubmissionByNameAndNothingRuns) {
  scenario.cluster.run_for(1'000);
  service.break_stores("the disk is full");
  const std::string refused =
      scenario.error(scenario.client.submit_job(Scenario::job(1, 2, {}), ""));
  EXPECT_NE(
      refused.find("job 'job 1' is not accepted, since its graph can't be stored: the disk is "
                   "full"),
      std::string::npos)
      << refused;
  EXPECT_NE(refused.find("submit it again"), std::string::npos) << refused;
  EXPECT_TRUE(scenario.wait(scenario.client.jobs()).empty());
  // The put may have been carried out: the id is free again once that is undone.
  const std::string soon = scenario.error(scenario.client.submit_job(Scenario::job(1, 2, {}), ""));
  EXPECT_NE(soon.find("is still being removed"), std::string::npos) << soon;
  service.break_stores("");
  scenario.cluster.run_for(10'000);
  EXPECT_EQ(scenario.wait(submit(1, {})->result()).status, JobStatus::kFinished);
}

TEST_F(Leaders, AnEndIsToldOnceTheStoreTakesItsResult) {
  const auto job = submit(1, runs_for(1'000));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  const auto end = job->result();
  service.break_stores("the disk is full");
  scenario.cluster.run_for(30'000);
  EXPECT_FALSE(end.ready());
  const JobInfo waiting = scenario.wait(scenario.client.jobs()).at(0);
  EXPECT_EQ(waiting.status, JobStatus::kRunning);
  EXPECT_EQ(waiting.detail, "it has ended, its result can't be stored yet: the disk is full");
  EXPECT_EQ(waiting.ended_ms, 0);
  scenario.wait(job->cancel());  // comes too late
  service.break_stores("");
  EXPECT_EQ(scenario.wait(end).status, JobStatus::kFinished);
  EXPECT_EQ(service.results_put(job->job_id()), 1u);
  EXPECT_TRUE(scenario.clears());
}

TEST_F(Leaders, WhatIsLeftIsReadOnceTheStoresAnswerAndOnlyThenTheNextOneServes) {
  const auto job = submit(1, runs_for(20'000));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  service.break_stores("the network is down");
  scenario.cluster.crash_job_manager();
  scenario.cluster.run_for(10'000);
  EXPECT_EQ(service.leader(), "job manager 2");
  EXPECT_FALSE(leads(1)) << "it does not know yet what was accepted";
  service.break_stores("");
  EXPECT_TRUE(becomes(1, job->job_id(), JobStatus::kRunning));
}

TEST_F(Leaders, AnEndThatIsStoredIsNotRunAgainThoughItsGraphWasLeft) {
  const auto job = submit(1, {});
  const std::map<std::string, std::string> graphs = service.job_graphs();
  const std::string graph = graphs.at(job->job_id());
  ASSERT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
  // As if the leader had gone between the two.
  const auto member = service.join();
  member->job_graphs().put(service.term(), job->job_id(), graph).get();
  scenario.cluster.crash_job_manager();
  ASSERT_TRUE(scenario.cluster.run_until([&] { return leads(1); }, 60'000));
  EXPECT_EQ(scenario.wait(job->status()), JobStatus::kFinished);
  EXPECT_TRUE(service.job_graphs().empty());
  EXPECT_EQ(service.results_put(job->job_id()), 1u);
}

TEST_F(Leaders, WhatCantBeReadIsLeftAloneAndTheRestGoesOn) {
  const auto job = submit(1, runs_for(20'000));
  const auto member = service.join();
  member->job_graphs().put(service.term(), "bad", "no graph").get();
  member->job_results().put(service.term(), "worse", "\x93\x01").get();
  scenario.cluster.crash_job_manager();
  EXPECT_TRUE(becomes(1, job->job_id(), JobStatus::kRunning));
  EXPECT_EQ(service.job_graphs().count("bad"), 1u);
  EXPECT_EQ(service.job_results().count("worse"), 1u);
}

TEST_F(Leaders, ShutDownEndsThoseThatStandByToo) {
  const auto job = submit(1, runs_for(-1));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  const auto end = job->result();
  scenario.wait(scenario.client.shut_down());
  ASSERT_TRUE(end.ready()) << "its result was stored and told before";
  EXPECT_EQ(end.get().status, JobStatus::kCanceled);
  EXPECT_EQ(service.results_put(job->job_id()), 1u);
  ASSERT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.cluster.processes("job manager") == 0; }, 60'000));
  EXPECT_EQ(scenario.cluster.processes("task manager"), 0u);
  // Who is started later begins the cluster again.
  scenario.cluster.start_job_manager(1);
  ASSERT_TRUE(scenario.cluster.run_until([&] { return leads(1); }, 60'000));
  EXPECT_TRUE(scenario.cluster.run_until([&] { return service.job_graphs().empty(); }, 60'000));
  EXPECT_EQ(scenario.wait(job->status()), JobStatus::kCanceled);
}

TEST_F(Leaders, OneThatHandsOverEndsAloneAndWhatRunsGoesOn) {
  const auto job = submit(1, runs_for(20'000));
  ASSERT_TRUE(becomes(0, job->job_id(), JobStatus::kRunning));
  scenario.cluster.job_manager(0)->hand_over("a signal");
  ASSERT_TRUE(becomes(1, job->job_id(), JobStatus::kRunning));
  EXPECT_FALSE(scenario.cluster.job_manager(0));
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
}

TEST(LeadersThatKeepFewRecords, DropThemFromTheStoreToo) {
  SimulatedClusterOptions options = two_job_managers();
  options.records.jobs = 1;
  Scenario small(options);
  std::vector<std::string> ids;
  for (int i = 1; i <= 3; ++i) {
    const auto job = small.wait(small.client.submit_job(Scenario::job(i, 1, {}), ""));
    ASSERT_EQ(small.wait(job->result()).status, JobStatus::kFinished);
    ids.push_back(job->job_id());
  }
  HighAvailabilityInMemory& kept = small.cluster.high_availability();
  ASSERT_TRUE(small.cluster.run_until([&] { return kept.job_results().size() == 1; }, 60'000));
  EXPECT_EQ(kept.job_results().count(ids[2]), 1u);
  small.cluster.crash_job_manager();
  const auto last = small.wait(small.client.submit_job(Scenario::job(4, 1, {}), ""));
  EXPECT_EQ(small.wait(small.client.job(ids[2])->result()).status, JobStatus::kFinished);
  EXPECT_EQ(small.wait(last->result()).status, JobStatus::kFinished);
}

// ---- any order ----------------------------------------------------------------------------------

// Jobs are submitted while leaders crash, lose their sessions, and stores break for a while.
class ChangingLeaders {
 public:
  explicit ChangingLeaders(std::uint64_t seed)
      : random_(seed), scenario_([&] {
          SimulatedClusterOptions options = two_job_managers();
          options.seed = seed;
          options.rare_paths = true;
          return options;
        }()) {}

  std::vector<std::string> run() {
    constexpr int kActions = 30;
    for (int i = 0; i < kActions; ++i) {
      act();
      step(static_cast<std::int64_t>(random_.below(1'500)));
    }
    service().break_stores("");
    service().tell_expired();
    step(5'000);  // former leaders end
    for (std::uint32_t i = 0; i < 2; ++i) scenario_.cluster.start_job_manager(i);
    // Those that have found no leader for long have ended.
    for (std::uint32_t i = 0; i < 2; ++i) scenario_.cluster.start_task_manager(i);
    step(120'000);
    for (const auto& [id, end] : ends_) check_end(id);
    if (!service().job_graphs().empty()) breach("a graph is left of what has ended");
    return breaches_;
  }
  int accepted() const { return static_cast<int>(ends_.size()); }
  const RarePathCounts& rare_paths() { return scenario_.cluster.rare_paths().counts(); }

 private:
  struct Submission {
    std::string id;
    Future<std::unique_ptr<JobClient>> answer;
  };
  HighAvailabilityInMemory& service() { return scenario_.cluster.high_availability(); }
  void breach(const std::string& what) { breaches_.push_back(what); }

  void act() {
    switch (random_.below(8)) {
      case 0:
        scenario_.cluster.crash_job_manager(random_.one_in(2),
                                            static_cast<std::uint32_t>(random_.below(2)));
        return;
      case 1:
        for (std::uint32_t i = 0; i < 2; ++i) scenario_.cluster.start_job_manager(i);
        return;
      case 2:
        service().expire_leader();
        return;
      case 3:
        service().tell_expired();
        return;
      case 4:
        service().break_stores(random_.one_in(3) ? "broken" : "");
        return;
      default:
        submit();
    }
  }

  void submit() {
    const int number = ++last_;
    JobBehaviour behaviour = runs_for(static_cast<std::int64_t>(random_.below(4'000)));
    submissions_.push_back({Scenario::id(number),
                            scenario_.client.submit_job(Scenario::job(number, 1, behaviour), "")});
  }

  void step(std::int64_t milliseconds) {
    scenario_.cluster.run_until(
        [&] {
          look();
          return false;
        },
        milliseconds);
  }

  void look() {
    for (std::size_t i = 0; i < submissions_.size();) {
      if (!submissions_[i].answer.ready()) {
        ++i;
        continue;
      }
      Submission done = std::move(submissions_[i]);
      submissions_.erase(submissions_.begin() + static_cast<std::ptrdiff_t>(i));
      std::unique_ptr<JobClient> job;
      try {
        job = done.answer.get();
      } catch (const std::exception& refused) {
        const std::string words = refused.what();
        if (words.find("gone") != std::string::npos)
          breach("a submission was not repeated: " + words);
        continue;
      }
      // Whoever accepted it led: it is kept, so that every later leader knows it.
      if (!service().job_graphs().count(done.id) && !service().job_results().count(done.id)) {
        breach("job " + done.id + " was accepted and is not kept");
      }
      ends_.emplace(done.id, job->result());
      clients_.push_back(std::move(job));
    }
    for (auto& [id, end] : ends_) {
      if (told_.count(id) || !end.ready()) continue;
      try {
        static_cast<void>(end.get());
        told_.insert(id);
        if (!service().job_results().count(id)) breach("the end of " + id + " was told unstored");
      } catch (const ClusterUnreachable&) {
        end = scenario_.client.job(id)->result();  // nobody led for longer than a client waits
      } catch (const std::exception& error) {
        told_.insert(id);
        breach("instead of the end of " + id + ": " + error.what());
      }
    }
    int leaders = 0;
    for (std::uint32_t i = 0; i < 2; ++i) {
      const JobManager* manager = scenario_.cluster.job_manager(i);
      if (manager && manager->leads() && manager->term() == service().term()) ++leaders;
    }
    if (leaders > 1) breach("two lead in one term");
  }

  void check_end(const std::string& id) {
    if (told_.count(id) == 0) {
      breach("job " + id + " has no end");
    } else if (service().results_put(id) != 1) {
      breach("the result of " + id + " was stored " + std::to_string(service().results_put(id)) +
             " times");
    }
  }

  SeededRandom random_;
  Scenario scenario_;
  int last_ = 0;
  std::vector<Submission> submissions_;
  std::vector<std::unique_ptr<JobClient>> clients_;
  std::map<std::string, Future<JobResult>> ends_;
  std::set<std::string> told_;
  std::vector<std::string> breaches_;
};

TEST(ChangingLeaders, LoseNothingThatWasAcceptedAndTellNothingThatIsNotKept) {
  int accepted = 0;
  RarePathTotals rare_paths;
  const int seeds = scaled(400, 10);
  for (int seed = 1; seed <= seeds; ++seed) {
    ChangingLeaders workload(static_cast<std::uint64_t>(seed));
    std::string text;
    for (const std::string& breach : workload.run()) text += "  " + breach + "\n";
    EXPECT_EQ(text, "") << "seed " << seed;
    accepted += workload.accepted();
    rare_paths.add(workload.rare_paths());
  }
  rare_paths.expect_each_taken("high availability: ");
  EXPECT_GT(accepted, 2 * seeds) << "it proves nothing unless much is accepted";
}

}  // namespace
}  // namespace freshet::testing
