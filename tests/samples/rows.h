// What an application has written to its --output folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scratch_folder.h"

namespace freshet::testing {

// The lines of all parts, sorted. Expects `parts` files part-0, part-1, ... and nothing else.
inline std::vector<std::string> sorted_rows(const std::string& folder, int parts) {
  std::vector<std::string> names;
  for (int i = 0; i < parts; ++i) names.push_back("part-" + std::to_string(i));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names_in(folder), names);
  std::vector<std::string> rows;
  for (const std::string& name : names) {
    const auto lines = lines_of(text_of_file(folder + "/" + name));
    rows.insert(rows.end(), lines.begin(), lines.end());
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

inline std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace freshet::testing
