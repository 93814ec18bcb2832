#include "template_name_pipeline.h"

#include <freshet/error.h>

#include <algorithm>
#include <cstddef>
#include <fstream>

namespace template_name {
namespace {

struct Place {
  const std::string& path;
  std::size_t line = 0;

  [[noreturn]] void refuse(std::size_t column, const std::string& what) const {
    throw freshet::InvalidInput(path + ":" + std::to_string(line) + ":" + std::to_string(column) +
                                ": " + what);
  }
};

enum class Role { kSource, kBetween, kSink };
struct Word {
  std::string_view word;
  Role role;
  bool has_argument;
};
constexpr Word kWords[] = {
    {"read", Role::kSource, true}, {"upper", Role::kBetween, false}, {"write", Role::kSink, true}};

const Word& word_of(const Place& at, const std::string& word) {
  for (const Word& known : kWords)
    if (known.word == word) return known;
  at.refuse(1, "there is no step '" + word + "': there are read, upper and write");
}

// What `text` stands for: $1 is the first argument, all else itself.
std::string filled_in(const Place& at, std::size_t column, const std::string& text,
                      const std::vector<std::string>& arguments) {
  if (text[0] != '$') return text;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (text == "$" + std::to_string(i + 1)) return arguments[i];
  at.refuse(column, "there is no argument " + text + " behind the file, but " +
                        std::to_string(arguments.size()) + " arguments: give it");
}

}  // namespace

TemplateNamePipeline::TemplateNamePipeline(const std::string& path,
                                           const std::vector<std::string>& arguments) {
  Place at{path, 1};
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.compare(0, kMark.size(), kMark) != 0) {
    at.refuse(1, "the file can't be read or does not begin with '" + std::string(kMark) + "'");
  }
  name_ = line.substr(std::min(line.find_first_not_of(' ', kMark.size()), line.size()));
  if (name_.empty()) at.refuse(kMark.size() + 1, "the pipeline has no name: write it here");
  Role last = Role::kSink;
  while (std::getline(file, line)) {
    ++at.line;
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    Step step{line.substr(0, space), {}};
    const Word& word = word_of(at, step.word);
    if (steps_.empty() != (word.role == Role::kSource)) {
      at.refuse(1, "'" + step.word + "' can't stand here: the first step is 'read', and no other");
    }
    if (!steps_.empty() && last == Role::kSink) at.refuse(1, "a step behind 'write': remove it");
    if (space != std::string::npos) step.argument = line.substr(space + 1);
    if (step.argument.empty() == word.has_argument) {
      at.refuse(line.size() + 1, "'" + step.word + "' " +
                                     (word.has_argument ? "has no argument: write it here"
                                                        : "takes no argument: remove it"));
    }
    if (word.has_argument) step.argument = filled_in(at, space + 2, step.argument, arguments);
    last = word.role;
    steps_.push_back(step);
  }
  if (file.bad()) at.refuse(1, "the file can't be read further: see to its disk");
  if (steps_.empty() || last != Role::kSink) {
    at.refuse(line.size() + 1, "the last step is no 'write': add one");
  }
}

}  // namespace template_name
