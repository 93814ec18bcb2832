// What a file system says of itself, and of a URL that it can't fetch. Nothing is asked of a
// server.
#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "freshet/error.h"
#include "freshet/plugin/file_system.h"
#include "plugin/check.h"

namespace freshet::tool {
using namespace core;
namespace {

const FileSystem& file_system(CaseContext& context) {
  return *static_cast<const FileSystem*>(context.create());
}

std::vector<std::string> schemes_of(CaseContext& context, const FileSystem& made) {
  context.doing("schemes()");
  return made.schemes();
}

void schemes(CaseContext& context) {
  const auto all = schemes_of(context, file_system(context));
  if (all.empty()) throw CaseFailed("it serves no scheme: schemes() is empty");
  for (const std::string& scheme : all) {
    const bool good = !scheme.empty() && std::islower(static_cast<unsigned char>(scheme[0])) != 0 &&
                      std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
                        return std::islower(c) != 0 || std::isdigit(c) != 0;
                      });
    if (!good)
      throw CaseFailed("the scheme '" + printable(scheme) +
                       "' is none: it has the characters a-z 0-9 and begins with a letter");
    if (scheme == "local" || scheme == "file")
      throw CaseFailed("it serves '" + scheme + "', which the cluster serves itself");
  }
  if (std::set<std::string>(all.begin(), all.end()).size() != all.size())
    throw CaseFailed("schemes() names one of them twice");
  if (schemes_of(context, file_system(context)) != all)
    throw CaseFailed("two objects of it serve different schemes");
}

class Nothing final : public FetchSink {
 public:
  void append(std::string_view) override { got = true; }
  bool is_wanted() const override { return true; }
  bool got = false;
};

void refusals(CaseContext& context) {
  const FileSystem& made = file_system(context);
  for (const std::string& scheme : schemes_of(context, made)) {
    const std::string url = scheme + "://";  // names no place
    context.doing("fetch(\"" + url + "\")");
    FetchRules rules;
    rules.hash_is_known = true;
    rules.timeout = rules.stall_timeout = seconds(2);
    Nothing sink;
    try {
      made.fetch(url, rules, sink);
    } catch (const InvalidInput& refused) {
      if (std::string(refused.what()).find(url) == std::string::npos)
        throw CaseFailed("it refuses '" + url +
                         "' without naming it: " + printable(refused.what()));
      if (sink.got) throw CaseFailed("it gives bytes of '" + url + "', which names no place");
      continue;
    } catch (const std::exception& other) {
      throw CaseFailed("it refuses '" + url +
                       "' by what is no freshet::InvalidInput: " + printable(other.what()));
    }
    throw CaseFailed("it fetches '" + url + "', which names no place");
  }
}

}  // namespace

std::vector<Case> file_system_cases() {
  return {
      {"schemes", "serves schemes, the same ones at all times", "creates", schemes},
      {"refusals", "refuses a URL without a place, by name", "schemes", refusals},
  };
}

}  // namespace freshet::tool
