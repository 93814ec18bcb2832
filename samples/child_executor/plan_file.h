// A plan on disk: a job graph and where the modules are that came with the application.
//
//   freshet-plan 1
//   <path of a module>        one a line
//   <an empty line>
//   <bytes of the JobGraph>
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "freshet/plugin/job_graph.h"

namespace child_executor {

inline constexpr std::string_view kPlanMark = "freshet-plan 1\n";

struct PlanFile {
  std::vector<std::string> modules;
  freshet::JobGraph graph;

  // Of a job that was translated in this process. Throws InvalidInput if one of its modules can't
  // be loaded by another process.
  static PlanFile of_this_process(freshet::JobGraph graph);
  // Throws InvalidInput, or DecodeError for bytes that are no graph.
  static PlanFile read(const std::string& path);
  void write(const std::string& path) const;
};

}  // namespace child_executor
