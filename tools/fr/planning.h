// The plans of an application: its main runs in a child process, up to the first result that it
// waits for, and what it submits is translated there instead of run. A file that is no application
// is read there by its front end, and its one pipeline translated.
//
// The child is fr itself, started anew (fr info --plan-to ...). It gets the request over a socket
// and reports over it: a frame per plan, and one for how main ended (plan_channel.h). The parent
// believes nothing in them before it has checked it.
//
// Threads    None are started.
#pragma once

#include <string>
#include <vector>

#include "configuration/configuration.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::tool {
using namespace core;

struct PlanRequest {
  std::string application;
  std::string configuration_file;
  std::vector<FlagSetting> flags;
  std::vector<std::string> shipped;
  std::vector<std::string> arguments;  // main's
};

struct Plans {
  enum class End : char {
    kWaits = 'W',     // main waits for a result; what it would do then is not known
    kReturned = 'R',  // main returned; `text` is its exit code
    kRefused = 'E',   // `text` says why: no application, a plan that can't be
    kThrew = 'T',     // an exception left main; `text` is what it says
    kDied = 'D',      // exit() in main, or a signal; `text` says which
  };
  std::vector<JobGraph> jobs;
  End end = End::kDied;
  std::string text;
};

// What main prints goes to stderr. Throws InvalidInput if no child can be started or its report
// can't be read.
Plans plan_in_child(const PlanRequest& request);

// In the child: `channel` is what the parent has passed with --plan-to. Returns fr's exit code.
int plan_here(const std::string& channel);

}  // namespace freshet::tool
