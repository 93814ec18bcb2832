// The state of clusters, applications and jobs as JSON: what fr prints with --json.
//
// Programs and monitors read these texts: keys keep their names and their order. Bytes that are not
// UTF-8, as failures of user code may hold, are replaced.
//
// Begin      here: this file is all.
// Threads    Any.
#pragma once

#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/job_client.h"

namespace freshet::core {

FRESHET_API std::string status_json(const ClusterInfo& cluster);
FRESHET_API std::string status_json(const ApplicationInfo& application);
// All applications of a cluster, with their jobs. `jobs_alone` are those whose application the
// cluster has forgotten: they come last, in an entry whose id is null.
FRESHET_API std::string status_json(const std::vector<ApplicationInfo>& applications,
                                    const std::vector<JobInfo>& jobs_alone);
// A job with its vertices, their counters, and its subtasks.
FRESHET_API std::string status_json(const JobInfo& job, const JobDetails& details,
                                    const AccumulatorValues& accumulators);
// A job that has ended.
FRESHET_API std::string status_json(const JobResult& result);

}  // namespace freshet::core
