// fr plugin check: whether a plugin keeps the contract (docs/plugin-authors/contract.md), case by
// case.
//
// Each case runs in a process of its own (case_process.h), so that a crash or a hang is a result.
// In there a case gets a CaseContext, and passes by returning. life_cases.cpp has those that every
// plugin meets, executor_cases.cpp, deployer_cases.cpp, operator_cases.cpp, front_end_cases.cpp,
// file_system_cases.cpp, high_availability_cases.cpp and application_cases.cpp those of the kinds.
//
// Threads    A case runs on the main thread of its process.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "configuration_flags.h"
#include "plan_channel.h"
#include "shared_objects/plugin_file.h"

namespace freshet::tool {
using namespace core;

struct CheckRequest {
  std::string file;
  ConfigurationFlags configuration;
  std::string target;                  // of an executor; empty: its name
  std::vector<std::string> payloads;   // OPERATOR=TYPE:VALUE or OPERATOR=@FILE; {new}: a new path
  std::string sample;                  // a file of a front end's; empty: none
  std::vector<std::string> arguments;  // of an application's main, or of the sample
  std::string folder;                  // for what the case writes
};

class CaseFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// It can't be told, and why.
class CaseSkipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CaseContext {
 public:
  CaseContext(const CheckRequest& request, PlanSender& report)
      : request(request), report_(report) {}

  // Something that a case which passes tells all the same.
  void note(const std::string& text);
  // Names what the plugin's code is now called for, should it never come back.
  void doing(const std::string& what);
  // Judged, none of its code run. Throws CaseFailed if it is refused.
  const PluginFile& file();
  // Loaded where it stands, its operators known.
  const freshet_plugin_v1& contract();
  // A new object; throws CaseFailed with the plugin's words if there is none.
  void* create();
  void destroy(void* object);

  const CheckRequest& request;

 private:
  PlanSender& report_;
  PluginFile file_;
  bool judged_ = false;
  const freshet_plugin_v1* contract_ = nullptr;
};

struct Case {
  const char* name;
  const char* sentence;  // what a plugin that passes does
  const char* needs;     // a case that must have passed before; empty: none
  void (*run)(CaseContext& context);
};

// Those for a kind, in the order in which they run; all that there are for kind 0.
std::vector<Case> cases_of(std::uint32_t kind);

std::vector<Case> life_cases(std::uint32_t kind);
std::vector<Case> executor_cases();
std::vector<Case> deployer_cases();
std::vector<Case> operator_cases();
std::vector<Case> front_end_cases();
std::vector<Case> file_system_cases();
std::vector<Case> high_availability_cases();
std::vector<Case> application_cases();

// The bytes for each operator, of all that was given for it in order. Throws InvalidInput.
std::map<std::string, std::string> read_payloads(const std::vector<std::string>& definitions);

// Of deployers' cases that were ended: what keeps its state in a folder below that one.
void kill_clusters_below(const std::string& folder);

// Where `fr plugin check` finds its kit of jobs and operators. Throws InvalidInput.
std::string kit_file();

}  // namespace freshet::tool
