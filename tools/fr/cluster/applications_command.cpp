// fr list | status | cancel | wait: the applications and jobs of a cluster.
#include <algorithm>
#include <cstdio>

#include "cluster/client_words.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "shown_text.h"

namespace freshet::tool {
namespace {

using Json = nlohmann::ordered_json;

struct IdWords : ClientWords {
  std::string id;
  bool force = false;
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
    Json all = Json::array();
    for (const ApplicationInfo& each : applications) all.push_back(json_of(each));
    if (!alone.empty()) {
      Json jobs = Json::array();
      for (const JobInfo& each : alone) jobs.push_back(json_of(each));
      all.push_back({{"id", nullptr}, {"jobs", std::move(jobs)}});
    }
    print_json(all);
    return kDone;
  }
  for (const ApplicationInfo& each : applications) std::printf("%s", text_of(each).c_str());
  if (!alone.empty()) std::printf("jobs without an application:\n");
  for (const JobInfo& each : alone) std::printf("%s", text_of(each).c_str());
  return kDone;
}

int status(const IdWords& words) {
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  if (!found.is_job) {
    if (words.json) {
      print_json(json_of(found.application));
    } else {
      std::printf("%s", text_of(found.application).c_str());
    }
    return kDone;
  }
  const auto job = client->job(found.job.job_id);
  const JobDetails details = job->details().get();
  const AccumulatorValues accumulators = job->accumulators().get();
  if (words.json) {
    Json json = json_of(found.job);
    add_details(json, details);
    json["accumulators"] = json_of(accumulators);
    print_json(json);
    return kDone;
  }
  std::printf("%s%s%s", text_of(found.job).c_str(), text_of(details).c_str(),
              text_of(accumulators).c_str());
  return kDone;
}

int cancel(const IdWords& words) {
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  if (found.is_job) {
    const auto job = client->job(found.job.job_id);
    (words.force ? job->cancel_by_force() : job->cancel()).get();
    return kDone;
  }
  client->cancel_application(found.application.id).get();
  for (const JobInfo& job : found.application.jobs) {
    if (job.status != JobStatus::kCommitting) continue;
    if (words.force) {
      client->job(job.job_id)->cancel_by_force().get();
    } else {
      std::fprintf(stderr,
                   "fr cancel: job '%s' (%s) is committing and comes to its end: a part of its "
                   "output may be visible already (--force ends it)\n",
                   job.job_name.c_str(), job.job_id.c_str());
    }
  }
  return kDone;
}

int wait(const IdWords& words) {
  const auto client = words.connect();
  const Found found = find_by_id(*client, words.id);
  if (found.is_job) {
    const JobResult result = client->job(found.job.job_id)->result().get();
    if (words.json) {
      Json json{{"id", result.job_id},
                {"name", result.job_name},
                {"status", name_of(result.status)},
                {"duration_ms", result.duration_ms}};
      if (result.failure) json["failure"] = result.failure->message;
      json["accumulators"] = json_of(result.accumulators);
      print_json(json);
    } else {
      std::printf("job %s  %s  %s\n%s", result.job_id.c_str(), name_of(result.status),
                  result.failure ? shown_text(result.failure->message, "    ").c_str() : "",
                  text_of(result.accumulators).c_str());
    }
    return result.succeeded()                      ? kDone
           : result.status == JobStatus::kCanceled ? kWasInterrupted
                                                   : kItFailed;
  }
  const ApplicationInfo end = client->application_end(found.application.id).get();
  if (words.json) {
    print_json(json_of(end));
  } else {
    std::printf("%s", text_of(end).c_str());
  }
  return end.status == ApplicationStatus::kFinished   ? kDone
         : end.status == ApplicationStatus::kCanceled ? kWasInterrupted
                                                      : kItFailed;
}

Command::SetUp command_with(int (*function)(const IdWords&), bool takes_id,
                            bool takes_force = false) {
  return [function, takes_id, takes_force](CLI::App& command) -> Command::Run {
    const auto words = std::make_shared<IdWords>();
    words->add_to(command);
    if (takes_id)
      command.add_option("ID", words->id, "of an application or job, or what it begins with")
          ->required();
    if (takes_force)
      command.add_flag("--force", words->force,
                       "also what is committing: it fails, and says what of it is visible");
    return [words, function] { return with_cluster([&] { return function(*words); }); };
  };
}

const Command kList("list", "List the applications and jobs of a cluster.",
                    command_with(list, false));
const Command kStatus("status", "Show an application or a job of a cluster.",
                      command_with(status, true));
const Command kCancel("cancel", "Cancel an application or a job of a cluster.",
                      command_with(cancel, true, true));
const Command kWait("wait", "Wait for the end of an application or a job of a cluster.",
                    command_with(wait, true));

}  // namespace
}  // namespace freshet::tool
