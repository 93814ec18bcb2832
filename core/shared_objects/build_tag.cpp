#include "shared_objects/build_tag.h"

#include <algorithm>

#include "freshet/plugin/build_tag.h"
#include "shared_objects/instruction_sets.h"
#include "shared_objects/refused_file.h"

namespace freshet::core {
namespace {

struct JudgedField {
  const char* field;
  const char* said_as;
  const char* mend;
};

// All of them must be equal.
constexpr JudgedField kJudged[] = {
    {"stdlib", "standard library", "build it with the same standard library"},
    {"stdlib-abi", "ABI of the standard library", "build it with the same _GLIBCXX_USE_CXX11_ABI"},
    {"stdlib-debug", "debug mode of the standard library", "build it with the same _GLIBCXX_DEBUG"},
    {"boost", "Boost", "build it with the SDK of this Freshet and its Boost"},
    {"sanitizer", "sanitizer", "build both with the same -fsanitize"},
};

bool is_judged(std::string_view field) {
  return field == "isa" || std::any_of(std::begin(kJudged), std::end(kJudged),
                                       [&](const JudgedField& j) { return field == j.field; });
}

// "x86-64-v3+avx512f" names what must all be there.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string shown(std::string_view value) {
  return value.empty() ? "none stated" : printable(value);
}

// The best level that the host has: what a module for it is to be built with.
std::string march_of(const HostHas& host_has) {
  for (const char* level : {"x86-64-v4", "x86-64-v3", "x86-64-v2", "x86-64"})
    if (host_has(level)) return level;
  return host_has("aarch64") ? "armv8-a" : "x86-64";
}

}  // namespace

bool host_has_instructions(std::string_view name) {
  return HostInstructions::of_this_host().has(name);
}

BuildTag::BuildTag(std::string_view text) {
  for (const std::string_view part : split(text, ';')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view field = part.substr(0, equals), value = part.substr(equals + 1);
    fields_.emplace_back(field,
                         field == "isa" ? named_instruction_sets(value) : std::string(value));
  }
}

const BuildTag& BuildTag::of_core() {
  static const BuildTag tag(FRESHET_BUILD_TAG);
  return tag;
}

std::string_view BuildTag::value(std::string_view field) const {
  for (const auto& [name, value] : fields_)
    if (name == field) return value;
  return {};
}

std::string BuildTag::refusal(const BuildTag& core, const HostHas& host_has) const {
  std::string reasons;
  const auto add = [&reasons](const std::string& reason) {
    reasons += (reasons.empty() ? "" : "; ") + reason;
  };
  for (const JudgedField& judged : kJudged) {
    const std::string_view theirs = value(judged.field), ours = core.value(judged.field);
    if (theirs != ours || theirs.empty())
      add(std::string("is built with ") + judged.said_as + " '" + shown(theirs) +
          "', Freshet here with '" + shown(ours) + "': " + judged.mend);
  }
  std::string lacking;
  for (const std::string_view need : split(value("isa"), '+'))
    if (!host_has(need)) lacking += (lacking.empty() ? "" : ", ") + shown(need);
  if (!lacking.empty()) {
    const std::string march = march_of(host_has);
    add("is built for a processor with '" + lacking + "', this host is '" + march +
        "' without that: build it with -march=" + march);
  }
  return reasons;
}

std::vector<std::string> BuildTag::shown_differences(const BuildTag& core) const {
  std::vector<std::string> differences;
  for (const auto& [field, theirs] : fields_) {
    const std::string_view ours = core.value(field);
    if (!is_judged(field) && theirs != ours)
      differences.push_back(std::string(field).append(" ").append(theirs).append(" (here ").append(
          shown(ours) + ")"));
  }
  return differences;
}

}  // namespace freshet::core
