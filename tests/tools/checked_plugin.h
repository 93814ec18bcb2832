// What `fr plugin check` says of a plugin, and of one with a thing wrong.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fr.h"

namespace freshet::testing {

using Names = std::set<std::string>;

struct Checked {
  Outcome outcome;
  nlohmann::json report;

  Names with(const std::string& result) const {
    Names names;
    for (const nlohmann::json& each : report["cases"])
      if (each["result"] == result) names.insert(each["name"]);
    return names;
  }
  std::string detail(const std::string& name) const {
    for (const nlohmann::json& each : report["cases"])
      if (each["name"] == name) return each["detail"];
    return "no case " + name;
  }
};

inline Checked check(const std::string& file, const std::string& bad = {},
                     const std::vector<std::string>& more = {}) {
  const Fr fr;
  Surroundings around = fr.surroundings();
  around.variables["FRESHET_TEST_BAD"] = bad;
  std::vector<std::string> words{"plugin", "check", "--json", "--time-limit", "60", file};
  words.insert(words.end(), more.begin(), more.end());
  Checked checked{fr.in(around, words), {}};
  checked.report =
      nlohmann::json::parse(checked.outcome.output, nullptr, /*allow_exceptions=*/false);
  return checked;
}

struct Wrong {
  const char* what;
  const char* failed_case;
  const char* says;
};

// That plugin, when FRESHET_TEST_BAD says what shall be wrong.
inline void expect_found(const std::string& file, const Wrong& wrong) {
  const Checked checked = check(file, wrong.what);
  EXPECT_EQ(checked.outcome.code, 1) << wrong.what << checked.outcome.text();
  EXPECT_EQ(checked.with("failed").count(wrong.failed_case), 1u)
      << wrong.what << checked.report.dump(2);
  EXPECT_NE(checked.detail(wrong.failed_case).find(wrong.says), std::string::npos)
      << wrong.what << ": " << checked.detail(wrong.failed_case);
}

}  // namespace freshet::testing
