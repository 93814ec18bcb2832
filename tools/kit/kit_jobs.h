// The small jobs of the test kit. Each builds its pipeline, runs it by whatever executor this
// process has, and throws freshet::Error that tells what was expected and what came instead.
#pragma once

#include <string>

namespace freshet::kit {

// `name` is one of those in kit_jobs.cpp; `folder` is empty and for its output alone. Throws
// InvalidInput for another name.
void run_job(const std::string& name, const std::string& folder);

}  // namespace freshet::kit
