// A JobGraph made ready to run in this process: operators found in its modules, payloads with the
// addresses of this process's functions in place.
//
// Threads    Read by any after it is made.
#pragma once

#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/module.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

class FRESHET_API PreparedJob {
 public:
  // The graph is valid, as from_bytes() gives it. Throws InvalidInput if a module is not loaded
  // here, or an operator or function is not in its module.
  explicit PreparedJob(JobGraph graph);

  const JobGraph& graph() const { return graph_; }
  const OperatorDescriptor& descriptor(std::uint32_t task, std::uint32_t link) const {
    return *descriptors_[task][link];
  }
  // A new operator for that link.
  std::unique_ptr<Operator> make_operator(std::uint32_t task, std::uint32_t link) const;
  // Null if the vertex has none.
  std::unique_ptr<Coordinator> make_coordinator(std::uint32_t vertex) const;

 private:
  JobGraph graph_;
  std::vector<std::vector<const OperatorDescriptor*>> descriptors_;
  std::vector<std::string> payloads_;  // by vertex
  std::vector<const OperatorDescriptor*> vertex_descriptors_;
};

}  // namespace freshet::core
