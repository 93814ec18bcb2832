#include "plan_file.h"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "freshet/error.h"
#include "freshet/plugin/module.h"

namespace child_executor {

namespace {

std::string path_of(const freshet::ModuleAnchor& anchor) {
  Dl_info found{};
  return ::dladdr(&anchor, &found) != 0 && found.dli_fname ? found.dli_fname : "";
}

// Among the modules of this process that have operators.
std::string path_of(const freshet::JobModule& module) {
  for (const auto* anchor = freshet::announced_modules(); anchor; anchor = anchor->next) {
    const std::string path = path_of(*anchor);
    if (std::filesystem::path(path).filename() == module.name) {
      return std::filesystem::absolute(path).string();
    }
  }
  return "";
}

}  // namespace

PlanFile PlanFile::of_this_process(freshet::JobGraph graph) {
  PlanFile plan;
  for (const freshet::JobModule& module : graph.modules) {
    switch (module.kind) {
      case freshet::ModuleKind::kInstalled:
        break;  // the other process has it, too
      case freshet::ModuleKind::kExecutable:
        throw freshet::InvalidInput("job '" + graph.name + "' has operators of the program '" +
                                    module.name +
                                    "', which no other process can load: build it as an "
                                    "application, a shared module");
      case freshet::ModuleKind::kShipped:
        plan.modules.push_back(path_of(module));
        if (plan.modules.back().empty()) {
          throw freshet::InvalidInput("job '" + graph.name + "' needs the module '" + module.name +
                                      "', which is not found in this process");
        }
    }
  }
  plan.graph = std::move(graph);
  return plan;
}

PlanFile PlanFile::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (!std::getline(file, line) || line + "\n" != kPlanMark) {
    throw freshet::InvalidInput("'" + path + "' does not begin with '" +
                                std::string(kPlanMark.substr(0, kPlanMark.size() - 1)) +
                                "', so it is no plan of this version: write it anew, by this one");
  }
  PlanFile plan;
  while (std::getline(file, line) && !line.empty()) plan.modules.push_back(line);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  plan.graph = freshet::JobGraph::from_bytes(bytes);
  return plan;
}

void PlanFile::write(const std::string& path) const {
  std::ofstream file(path, std::ios::binary);
  file << kPlanMark;
  for (const std::string& module : modules) file << module << '\n';
  file << '\n' << graph.to_bytes();
  file.close();
  if (!file)
    throw freshet::InvalidInput("the plan can't be written to '" + path +
                                "': see to the space in its folder");
}

}  // namespace child_executor
