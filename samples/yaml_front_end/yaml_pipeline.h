// The pipeline of the YAML front end: what a file says, read and checked, and nothing of Freshet's
// DataStream API.
//
//   freshet-pipeline: word count
//   steps:
//     - id: lines
//       operator: text.read            # the name an operator library has registered
//       with: {path: "${input}"}       # goes to the operator as it is
//     - id: words
//       operator: text.split
//       from: lines
//       output: keyed                  # records (the default), keyed, or none: a sink
//     - id: counts
//       operator: text.count
//       from: [words]
//       partition: hash                # forward (the default), hash, rebalance, broadcast, global
//       parallelism: 2
//     - id: result
//       operator: text.write
//       with: {path: "${output}"}
//       from: counts
//       partition: global
//       output: none
//
// Steps without `from` are sources. ${name} stands for what `name=value` on the command line says.
// Every mistake is an InvalidInput that names file, line and column.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/pipeline.h"

namespace yaml_front_end {

struct Step {
  enum class Output { kRecords, kKeyed, kNone };

  std::string id;
  std::string operator_name;
  std::string payload;  // the text of `with`
  std::vector<std::size_t> from;
  freshet::Partitioning partition = freshet::Partitioning::kForward;
  Output output = Output::kRecords;
  std::uint32_t parallelism = 1;
};

class YamlPipeline final : public freshet::Pipeline {
 public:
  static constexpr std::string_view kKind = "sample.yaml";
  // The key that every file begins with.
  static constexpr std::string_view kMark = "freshet-pipeline:";

  static YamlPipeline read(const std::string& path, const std::vector<std::string>& arguments);

  std::string_view kind() const override { return kKind; }
  const std::string& name() const { return name_; }
  // Each reads from steps before it.
  const std::vector<Step>& steps() const { return steps_; }

 private:
  class Reader;

  std::string name_;
  std::vector<Step> steps_;
};

}  // namespace yaml_front_end
