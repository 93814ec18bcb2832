// fr list | status | cancel | wait: the applications and jobs of a cluster.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cluster/client_words.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "shown_text.h"
#include "status_json/status_json.h"

namespace freshet::tool {
using namespace core;
namespace {

struct IdWords : ClientWords {
  std::string id;
  bool force = false;
  bool has_id = false;
  bool verbose = false;

  Failures failures() const { return verbose ? Failures::kWhole : Failures::kUsual; }
};

// Those that ended under an earlier leader, whose application is known no more.
std::vector<JobInfo> jobs_alone(ClusterClient& client,
                                const std::vector<ApplicationInfo>& applications) {
  std::vector<JobInfo> jobs = client.jobs().get();
  std::erase_if(jobs, [&](const JobInfo& job) {
    return std::any_of(applications.begin(), applications.end(),
                       [&](const ApplicationInfo& each) { return each.id == job.application_id; });
  });
  return jobs;
}

int list(const IdWords& words) {
  const auto client = words.connect();
  const auto applications = client->applications().get();
  const std::vector<JobInfo> alone = jobs_alone(*client, applications);
  if (words.json) {
    std::puts(status_json(applications, alone).c_str());
    return exit_code::kDone;
  }
  if (applications.empty() && alone.empty())
    std::fprintf(stderr,
                 "fr: cluster '%s' knows of no application: none has been submitted since its job "
                 "manager was started, or those that were have ended long ago\n",
                 client->cluster_id().c_str());
  const Failures failures = words.verbose ? Failures::kWhole : Failures::kFirstLines;
  for (const ApplicationInfo& each : applications)
    std::printf("%s", text_of(each, failures).c_str());
  if (!alone.empty()) std::printf("jobs without an application:\n");
  for (const JobInfo& each : alone) std::printf("%s", text_of(each, failures).c_str());
  return exit_code::kDone;
}

int status(const IdWords& words) {
  if (!words.has_id) return list(words);
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  if (!found.is_job) {
    if (words.json) {
      std::puts(status_json(found.application).c_str());
    } else {
      std::printf("%s", text_of(found.application, words.failures()).c_str());
    }
    return exit_code::kDone;
  }
  const auto job = client->job(found.job.job_id);
  const JobDetails details = job->details().get();
  const AccumulatorValues accumulators = job->accumulators().get();
  if (words.json) {
    std::puts(status_json(found.job, details, accumulators).c_str());
    return exit_code::kDone;
  }
  std::printf("%s%s%s", text_of(found.job, words.failures()).c_str(), text_of(details).c_str(),
              text_of(accumulators).c_str());
  return exit_code::kDone;
}

int cancel(const IdWords& words) {
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  const auto tell = [&](const std::string& what, const std::string& id, const std::string& name,
                        const char* status, bool has_ended, bool ends) {
    const std::string which = what + " " + id + " ('" + shown_text(name) + "') ";
    if (words.json) {
      print_json({{"id", id}, {"status", status}, {"canceled", !has_ended && !ends}});
    } else if (has_ended) {
      std::printf("%shas ended already: %s\n", which.c_str(), status);
    } else {
      std::printf("%sis being canceled%s\n", which.c_str(), ends ? " already" : "");
    }
  };
  if (found.is_job) {
    const JobInfo& job = found.job;
    const auto client_of_it = client->job(job.job_id);
    (words.force ? client_of_it->cancel_by_force() : client_of_it->cancel()).get();
    tell("job", job.job_id, job.job_name, name_of(job.status), is_terminal(job.status),
         job.status == JobStatus::kCanceling);
    return exit_code::kDone;
  }
  const ApplicationInfo& application = found.application;
  client->cancel_application(application.id).get();
  tell("application", application.id, application.name, name_of(application.status),
       is_terminal(application.status), application.status == ApplicationStatus::kCanceling);
  for (const JobInfo& job : application.jobs) {
    if (job.status != JobStatus::kCommitting) continue;
    if (words.force) {
      client->job(job.job_id)->cancel_by_force().get();
    } else {
      std::fprintf(stderr,
                   "fr cancel: job '%s' (%s) is committing and comes to its end: a part of its "
                   "output may be visible already (--force ends it)\n",
                   shown_text(job.job_name).c_str(), job.job_id.c_str());
    }
  }
  return exit_code::kDone;
}

int wait(const IdWords& words) {
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  if (found.is_job) {
    const JobResult result = client->job(found.job.job_id)->result().get();
    if (words.json) {
      std::puts(status_json(result).c_str());
    } else {
      const std::string failure =
          result.failure
              ? "\n    " + shown_failure(result.failure->message, "    ", words.failures())
              : "";
      std::printf("job %s  %s  %s%s\n%s", result.job_id.c_str(), name_of(result.status),
                  shown_text(result.job_name).c_str(), failure.c_str(),
                  text_of(result.accumulators).c_str());
    }
    return result.succeeded()                      ? exit_code::kDone
           : result.status == JobStatus::kCanceled ? exit_code::kCanceled
                                                   : exit_code::kFailed;
  }
  const ApplicationInfo end = client->application_end(found.application.id).get();
  if (words.json) {
    std::puts(status_json(end).c_str());
  } else {
    std::printf("%s", text_of(end, words.failures()).c_str());
  }
  return end.status == ApplicationStatus::kFinished   ? exit_code::kDone
         : end.status == ApplicationStatus::kCanceled ? exit_code::kCanceled
                                                      : exit_code::kFailed;
}

enum class Id { kNone, kOptional, kRequired };

Command::SetUp command_with(int (*function)(const IdWords&), Id id) {
  const bool takes_force = function == cancel;
  const bool shows_failures = !takes_force;
  return [=](CLI::App& command) -> Command::Run {
    const auto words = std::make_shared<IdWords>();
    words->add_to(command);
    CLI::Option* option = nullptr;
    if (id != Id::kNone)
      option = command.add_option("ID", words->id, "of an application or job, or its first digits")
                   ->required(id == Id::kRequired);
    if (shows_failures)
      command.add_flag("-v,--verbose", words->verbose,
                       "all of a failure, with the stacks of all threads of what has crashed");
    if (takes_force)
      command.add_flag("--force", words->force,
                       "also what is committing: it fails, and says what of it is visible");
    return [words, function, option] {
      words->has_id = option != nullptr && option->count() > 0;
      return with_cluster([&] { return function(*words); });
    };
  };
}

const Command kList("list", "List the applications and jobs of a cluster.",
                    command_with(list, Id::kNone));
const Command kStatus("status",
                      "Show an application or a job of a cluster; without an ID, list them all.",
                      command_with(status, Id::kOptional));
const Command kCancel("cancel", "Cancel an application or a job of a cluster.",
                      command_with(cancel, Id::kRequired));
const Command kWait("wait", "Wait for the end of an application or a job of a cluster.",
                    command_with(wait, Id::kRequired));

}  // namespace
}  // namespace freshet::tool
