#include "status_json/status_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "bounds/failure_text.h"

namespace freshet::core {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const JobInfo& job) {
  const FailureText detail = FailureText::split(job.detail);
  Json json{{"id", job.job_id},
            {"name", job.job_name},
            {"application", job.application_id},
            {"status", name_of(job.status)},
            {"detail", detail.text}};
  if (!detail.threads.empty()) json["threads"] = detail.threads;
  json["since_ms"] = job.since_ms;
  json["ended_ms"] = job.ended_ms;
  return json;
}

void add_details(Json& job, const JobDetails& details) {
  job["running_ms"] = details.running_ms;
  job["source_records"] = details.source_records;
  job["sink_records"] = details.sink_records;
  job["vertices"] = Json::array();
  for (const VertexDetails& each : details.vertices) {
    Json vertex{{"id", each.id},
                {"name", each.name},
                {"parallelism", each.parallelism},
                {"records_in", each.records_in},
                {"records_out", each.records_out},
                {"metrics", Json::object()}};
    for (const auto& [name, value] : each.metrics)
      vertex["metrics"][name] = {{"kind", name_of(value.kind)},
                                 {"count", value.count},
                                 {"value", value.value},
                                 {"min", value.min},
                                 {"max", value.max}};
    job["vertices"].push_back(std::move(vertex));
  }
  job["subtasks"] = Json::array();
  for (const SubtaskDetails& each : details.subtasks)
    job["subtasks"].push_back({{"vertex", each.vertex_id},
                               {"subtask", each.subtask},
                               {"state", each.state},
                               {"host", each.host},
                               {"worker", each.worker},
                               {"attempt", each.attempt}});
}

Json json_of(const AccumulatorValues& accumulators) {
  Json all = Json::object();
  for (const auto& [name, value] : accumulators) {
    Json each{{"kind", name_of(value.kind)}, {"count", value.count}};
    switch (value.kind) {
      case AccumulatorKind::kCount:
        break;
      case AccumulatorKind::kSum:
        each["value"] = value.number;
        break;
      case AccumulatorKind::kMin:
      case AccumulatorKind::kMax:
        each["value"] = value.count > 0 ? Json(value.number) : Json(nullptr);
        break;
      case AccumulatorKind::kHistogram:
        each["sum"] = value.number;
        each["buckets"] = value.buckets;
        break;
      case AccumulatorKind::kBytes:
        each["items"] = value.items;
        break;
    }
    all[name] = std::move(each);
  }
  return all;
}

Json json_of(const ApplicationInfo& application) {
  const FailureText reason = FailureText::split(application.reason);
  Json json{{"id", application.id},
            {"name", application.name},
            {"status", name_of(application.status)},
            {"reason", reason.text}};
  if (!reason.threads.empty()) json["threads"] = reason.threads;
  json["exit_code"] = application.exit_code ? Json(*application.exit_code) : Json(nullptr);
  json["signal"] = application.signal ? Json(*application.signal) : Json(nullptr);
  json["since_ms"] = application.since_ms;
  json["ended_ms"] = application.ended_ms;
  json["jobs"] = Json::array();
  for (const JobInfo& job : application.jobs) json["jobs"].push_back(json_of(job));
  json["jobs_left_out"] = application.jobs_left_out;
  return json;
}

Json json_of(const ClusterInfo& cluster) {
  Json json{{"id", cluster.id},
            {"version", cluster.version},
            {"process", cluster.process_id},
            {"since_ms", cluster.since_ms},
            {"task_managers", Json::array()}};
  for (const TaskManagerInfo& each : cluster.task_managers)
    json["task_managers"].push_back({{"id", each.id},
                                     {"host", each.host},
                                     {"process", each.process_id},
                                     {"slots", each.slots},
                                     {"free_slots", each.free_slots},
                                     {"workers", each.worker_processes}});
  return json;
}

Json json_of(const JobResult& result) {
  Json json{{"id", result.job_id},
            {"name", result.job_name},
            {"status", name_of(result.status)},
            {"duration_ms", result.duration_ms}};
  if (result.failure) {
    const FailureText failure = FailureText::split(result.failure->message);
    json["failure"] = failure.text;
    if (!failure.threads.empty()) json["threads"] = failure.threads;
  }
  json["accumulators"] = json_of(result.accumulators);
  return json;
}

}  // namespace

std::string status_json(const ClusterInfo& cluster) { return text_of(json_of(cluster)); }

std::string status_json(const ApplicationInfo& application) {
  return text_of(json_of(application));
}

std::string status_json(const std::vector<ApplicationInfo>& applications,
                        const std::vector<JobInfo>& jobs_alone) {
  Json all = Json::array();
  for (const ApplicationInfo& each : applications) all.push_back(json_of(each));
  if (!jobs_alone.empty()) {
    Json jobs = Json::array();
    for (const JobInfo& each : jobs_alone) jobs.push_back(json_of(each));
    all.push_back({{"id", nullptr}, {"jobs", std::move(jobs)}});
  }
  return text_of(all);
}

std::string status_json(const JobInfo& job, const JobDetails& details,
                        const AccumulatorValues& accumulators) {
  Json json = json_of(job);
  add_details(json, details);
  json["accumulators"] = json_of(accumulators);
  return text_of(json);
}

std::string status_json(const JobResult& result) { return text_of(json_of(result)); }

}  // namespace freshet::core
