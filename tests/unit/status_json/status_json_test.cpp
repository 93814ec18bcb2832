#include "status_json/status_json.h"

#include <gtest/gtest.h>

#include "bounds/failure_text.h"

namespace freshet::core {
namespace {

JobInfo count_job() {
  JobInfo job;
  job.job_id = "0b";
  job.job_name = "count";
  job.application_id = "0a";
  job.status = JobStatus::kFailed;
  job.detail = FailureText{"no \"rain\"", "\nthread 1"}.join();
  job.since_ms = 1'000;
  job.ended_ms = 2'000;
  return job;
}

TEST(StatusJson, AClusterHasItsTaskManagers) {
  ClusterInfo cluster;
  cluster.id = "mine";
  cluster.version = "0.1.0";
  cluster.process_id = 4711;
  cluster.since_ms = 1'700'000'000'000;
  cluster.task_managers.push_back({"taskmanager-1", "brook", 4712, 4, 1, {4713, 4714}});
  EXPECT_EQ(status_json(cluster), R"({
  "id": "mine",
  "version": "0.1.0",
  "process": 4711,
  "since_ms": 1700000000000,
  "task_managers": [
    {
      "id": "taskmanager-1",
      "host": "brook",
      "process": 4712,
      "slots": 4,
      "free_slots": 1,
      "workers": [
        4713,
        4714
      ]
    }
  ]
})");
}

TEST(StatusJson, AnApplicationHasItsJobs) {
  ApplicationInfo application;
  application.id = "0a";
  application.name = "words";
  application.status = ApplicationStatus::kFailed;
  application.reason = FailureText{"main was killed", "\nthread 7"}.join();
  application.signal = 11;
  application.since_ms = 900;
  application.ended_ms = 2'100;
  application.jobs = {count_job()};
  application.jobs_left_out = 3;
  EXPECT_EQ(status_json(application), R"({
  "id": "0a",
  "name": "words",
  "status": "failed",
  "reason": "main was killed",
  "threads": "\nthread 7",
  "exit_code": null,
  "signal": 11,
  "since_ms": 900,
  "ended_ms": 2100,
  "jobs": [
    {
      "id": "0b",
      "name": "count",
      "application": "0a",
      "status": "failed",
      "detail": "no \"rain\"",
      "threads": "\nthread 1",
      "since_ms": 1000,
      "ended_ms": 2000
    }
  ],
  "jobs_left_out": 3
})");
}

TEST(StatusJson, JobsWithoutAnApplicationComeLast) {
  ApplicationInfo application;
  application.id = "0a";
  application.exit_code = 0;
  JobInfo job = count_job();
  job.detail.clear();
  EXPECT_EQ(status_json(std::vector<ApplicationInfo>{}, {}), "[]");
  EXPECT_EQ(status_json({application}, {job}), R"([
  {
    "id": "0a",
    "name": "",
    "status": "created",
    "reason": "",
    "exit_code": 0,
    "signal": null,
    "since_ms": 0,
    "ended_ms": 0,
    "jobs": [],
    "jobs_left_out": 0
  },
  {
    "id": null,
    "jobs": [
      {
        "id": "0b",
        "name": "count",
        "application": "0a",
        "status": "failed",
        "detail": "",
        "since_ms": 1000,
        "ended_ms": 2000
      }
    ]
  }
])");
}

TEST(StatusJson, AJobHasItsVerticesSubtasksAndAccumulators) {
  JobInfo job = count_job();
  job.status = JobStatus::kRunning;
  job.detail.clear();
  job.ended_ms = 0;
  JobDetails details;
  details.running_ms = 500;
  details.source_records = 10;
  details.sink_records = 4;
  MetricValue lag;
  lag.kind = MetricKind::kGauge;
  lag.count = 2;
  lag.value = -7;
  details.vertices.push_back({"v1", "split", 2, 10, 20, {{"lag", lag}}});
  details.subtasks.push_back({"v1", 1, "running", "brook", 3, 1});
  EXPECT_EQ(status_json(job, details, {}), R"({
  "id": "0b",
  "name": "count",
  "application": "0a",
  "status": "running",
  "detail": "",
  "since_ms": 1000,
  "ended_ms": 0,
  "running_ms": 500,
  "source_records": 10,
  "sink_records": 4,
  "vertices": [
    {
      "id": "v1",
      "name": "split",
      "parallelism": 2,
      "records_in": 10,
      "records_out": 20,
      "metrics": {
        "lag": {
          "kind": "gauge",
          "count": 2,
          "value": -7,
          "min": 0,
          "max": 0
        }
      }
    }
  ],
  "subtasks": [
    {
      "vertex": "v1",
      "subtask": 1,
      "state": "running",
      "host": "brook",
      "worker": 3,
      "attempt": 1
    }
  ],
  "accumulators": {}
})");
}

TEST(StatusJson, AResultHasItsFailureAndEachKindOfAccumulator) {
  JobResult result;
  result.job_id = "0b";
  result.job_name = "count";
  result.status = JobStatus::kFailed;
  result.duration_ms = 12;
  result.failure = FailureInfo{"split", 0, 1, FailureText{"no rain", "\nthread 1"}.join()};
  const auto value = [](AccumulatorKind kind, std::uint64_t count, double number) {
    AccumulatorValue accumulator;
    accumulator.kind = kind;
    accumulator.count = count;
    accumulator.number = number;
    return accumulator;
  };
  result.accumulators["count"] = value(AccumulatorKind::kCount, 3, 0);
  result.accumulators["least"] = value(AccumulatorKind::kMin, 2, -1.5);
  result.accumulators["most"] = value(AccumulatorKind::kMax, 0, 0);
  result.accumulators["sizes"] = value(AccumulatorKind::kHistogram, 2, 5);
  result.accumulators["sizes"].buckets = {0, 1, 1};
  result.accumulators["sum"] = value(AccumulatorKind::kSum, 2, 6);
  result.accumulators["words"] = value(AccumulatorKind::kBytes, 1, 0);
  result.accumulators["words"].items = {"rain"};
  EXPECT_EQ(status_json(result), R"({
  "id": "0b",
  "name": "count",
  "status": "failed",
  "duration_ms": 12,
  "failure": "no rain",
  "threads": "\nthread 1",
  "accumulators": {
    "count": {
      "kind": "count",
      "count": 3
    },
    "least": {
      "kind": "min",
      "count": 2,
      "value": -1.5
    },
    "most": {
      "kind": "max",
      "count": 0,
      "value": null
    },
    "sizes": {
      "kind": "histogram",
      "count": 2,
      "sum": 5.0,
      "buckets": [
        0,
        1,
        1
      ]
    },
    "sum": {
      "kind": "sum",
      "count": 2,
      "value": 6.0
    },
    "words": {
      "kind": "bytes",
      "count": 1,
      "items": [
        "rain"
      ]
    }
  }
})");
}

TEST(StatusJson, BytesThatAreNotUtf8AreReplaced) {
  JobResult result;
  result.job_name =
      "a\xff"
      "b";
  EXPECT_NE(status_json(result).find("\"name\": \"a\xef\xbf\xbd"
                                     "b\""),
            std::string::npos)
      << status_json(result);
}

}  // namespace
}  // namespace freshet::core
