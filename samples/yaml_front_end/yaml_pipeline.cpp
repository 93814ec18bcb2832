#include "yaml_pipeline.h"

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>

#include "freshet/error.h"

namespace yaml_front_end {

namespace {

const std::map<std::string, freshet::Partitioning> kPartitionings{
    {"forward", freshet::Partitioning::kForward},
    {"hash", freshet::Partitioning::kHash},
    {"rebalance", freshet::Partitioning::kRebalance},
    {"broadcast", freshet::Partitioning::kBroadcast},
    {"global", freshet::Partitioning::kGlobal}};
const std::map<std::string, Step::Output> kOutputs{{"records", Step::Output::kRecords},
                                                   {"keyed", Step::Output::kKeyed},
                                                   {"none", Step::Output::kNone}};

template <class Value>
std::string names_of(const std::map<std::string, Value>& values) {
  std::string names;
  for (const auto& [name, value] : values) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

class YamlPipeline::Reader {
 public:
  Reader(const std::string& path, const std::vector<std::string>& arguments) : path_(path) {
    for (const std::string& argument : arguments) {
      const std::size_t equals = argument.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw freshet::InvalidInput("argument '" + argument + "' of '" + path +
                                    "' is not of the form name=value: give a value for ${name}");
      }
      values_[argument.substr(0, equals)] = argument.substr(equals + 1);
    }
  }

  YamlPipeline read() {
    const YAML::Node file = load();
    if (!file.IsMap()) refuse(file.Mark(), "is no mapping: begin with 'freshet-pipeline: NAME'");
    check_keys(file, {"freshet-pipeline", "steps"});
    YamlPipeline pipeline;
    pipeline.name_ = text_of(required(file, "freshet-pipeline"));
    const YAML::Node steps = required(file, "steps");
    if (!steps.IsSequence() || steps.size() == 0) {
      refuse(steps.Mark(), "'steps' is no list with a step in it");
    }
    for (const YAML::Node& step : steps) pipeline.steps_.push_back(read_step(step));
    for (const auto& [name, value] : values_) {
      if (used_.count(name)) continue;
      throw freshet::InvalidInput("argument '" + name + "' of '" + path_ +
                                  "' is used nowhere: write ${" + name + "} where it belongs");
    }
    return pipeline;
  }

 private:
  [[noreturn]] void refuse(const YAML::Mark& at, const std::string& what) const {
    throw freshet::InvalidInput(path_ + ":" + std::to_string(at.line + 1) + ":" +
                                std::to_string(at.column + 1) + ": " + what);
  }

  YAML::Node load() const {
    try {
      return YAML::LoadFile(path_);
    } catch (const YAML::BadFile&) {
      throw freshet::InvalidInput("'" + path_ +
                                  "' can't be read: give a file that this user may read");
    } catch (const YAML::Exception& error) {
      refuse(error.mark, "is no YAML: " + error.msg);
    }
  }

  YAML::Node required(const YAML::Node& map, const std::string& key) const {
    const YAML::Node value = map[key];
    if (!value) refuse(map.Mark(), "'" + key + "' is missing: add it");
    return value;
  }

  void check_keys(const YAML::Node& map, const std::set<std::string>& known) const {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>("");
      if (!known.count(key)) {
        std::string names;
        for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
        refuse(entry.first.Mark(), "there is no '" + key + "' here, but " + names);
      }
      if (!seen.insert(key).second) refuse(entry.first.Mark(), "'" + key + "' stands here twice");
    }
  }

  std::string text_of(const YAML::Node& node) {
    if (!node.IsScalar()) refuse(node.Mark(), "is no plain text");
    return filled_in(node, node.Scalar());
  }

  // With arguments in place of ${name}.
  std::string filled_in(const YAML::Node& node, const std::string& text) {
    std::string filled;
    std::size_t at = 0;
    for (std::size_t begin; (begin = text.find("${", at)) != std::string::npos;) {
      const std::size_t end = text.find('}', begin);
      if (end == std::string::npos) refuse(node.Mark(), "'${' without '}' in '" + text + "'");
      const std::string name = text.substr(begin + 2, end - begin - 2);
      const auto value = values_.find(name);
      if (value == values_.end()) {
        refuse(node.Mark(),
               "${" + name + "} has no value: give " + name + "=VALUE behind the file");
      }
      used_.insert(name);
      filled += text.substr(at, begin - at) + value->second;
      at = end + 1;
    }
    return filled + text.substr(at);
  }

  template <class Value>
  Value one_of(const YAML::Node& step, const char* key, const std::map<std::string, Value>& values,
               Value otherwise) {
    const YAML::Node node = step[key];
    if (!node) return otherwise;
    const auto found = values.find(text_of(node));
    if (found == values.end()) {
      refuse(node.Mark(), std::string("'") + key + "' is '" + node.Scalar() + "', but may be " +
                              names_of(values));
    }
    return found->second;
  }

  Step read_step(const YAML::Node& node) {
    if (!node.IsMap()) refuse(node.Mark(), "is no step: write 'id: ...' and 'operator: ...'");
    check_keys(node, {"id", "operator", "with", "from", "partition", "output", "parallelism"});
    Step step;
    step.id = text_of(required(node, "id"));
    if (places_.count(step.id)) {
      refuse(required(node, "id").Mark(), "two steps have the id '" + step.id + "'");
    }
    step.operator_name = text_of(required(node, "operator"));
    if (node["with"]) step.payload = payload_of(node["with"]);
    if (const YAML::Node from = node["from"]) read_inputs(from, step);
    step.partition = one_of(node, "partition", kPartitionings, freshet::Partitioning::kForward);
    step.output = one_of(node, "output", kOutputs, Step::Output::kRecords);
    if (const YAML::Node parallelism = node["parallelism"]) {
      const int value = parallelism.as<int>(0);
      if (value < 1 || value > 128) {
        refuse(parallelism.Mark(), "'parallelism' is not a number from 1 to 128");
      }
      step.parallelism = static_cast<std::uint32_t>(value);
    }
    places_.emplace(step.id, places_.size());
    outputs_.push_back(step.output);
    return step;
  }

  void read_inputs(const YAML::Node& from, Step& step) {
    std::vector<YAML::Node> inputs;
    if (from.IsSequence()) {
      for (const YAML::Node& input : from) inputs.push_back(input);
    } else {
      inputs.push_back(from);
    }
    for (const YAML::Node& input : inputs) {
      const auto found = places_.find(text_of(input));
      if (found == places_.end()) {
        refuse(input.Mark(), "no step before this one has the id '" + input.Scalar() + "'");
      }
      if (outputs_[found->second] == Step::Output::kNone) {
        refuse(input.Mark(), "step '" + input.Scalar() + "' has no output");
      }
      step.from.push_back(found->second);
    }
  }

  // What the operator gets: lines "key: value", in the order of the file.
  std::string payload_of(const YAML::Node& with) {
    if (!with.IsMap()) refuse(with.Mark(), "'with' is no mapping");
    YAML::Node filled(YAML::NodeType::Map);
    for (const auto& entry : with) filled[text_of(entry.first)] = text_of(entry.second);
    return YAML::Dump(filled);
  }

  const std::string path_;
  std::map<std::string, std::string> values_;
  std::set<std::string> used_;
  std::map<std::string, std::size_t> places_;
  std::vector<Step::Output> outputs_;
};

YamlPipeline YamlPipeline::read(const std::string& path,
                                const std::vector<std::string>& arguments) {
  return Reader(path, arguments).read();
}

}  // namespace yaml_front_end
