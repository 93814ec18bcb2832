// The pipeline of 'template-name': a chain of steps as a file has them, read and checked.
//
//   template-name: NAME      the first line
//   # a remark
//   read FILE                a step a line, each reads what the one before has made
//   upper
//   write FILE
//
// $1, $2, ... stand for the arguments behind the file.
#pragma once

#include <freshet/plugin/pipeline.h>

#include <string>
#include <string_view>
#include <vector>

namespace template_name {

struct Step {
  std::string word;      // 'read' is the operator 'template-name.read'
  std::string argument;  // for the operator; empty: none
};

class TemplateNamePipeline final : public freshet::Pipeline {
 public:
  static constexpr std::string_view kKind = "template-name";
  static constexpr std::string_view kMark = "template-name:";  // every file begins with it

  // Throws InvalidInput that begins with file, line and column.
  TemplateNamePipeline(const std::string& path, const std::vector<std::string>& arguments);

  std::string_view kind() const override { return kKind; }
  const std::string& name() const { return name_; }
  // The first is a source, the last a sink.
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::string name_;
  std::vector<Step> steps_;
};

}  // namespace template_name
