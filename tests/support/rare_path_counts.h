// How often rare paths were taken, over all seeds of a test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "scale.h"
#include "simulation/seeded_rare_paths.h"

namespace freshet::testing {

class RarePathTotals {
 public:
  void add(const core::RarePathCounts& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i) totals_[i] += counts[i];
  }
  // Of those whose words begin with this, as in "link: "; fails with the words of each that no seed
  // has taken. The few seeds of a sanitizer's run need not.
  void expect_each_taken(const std::string& whose) const {
    if (test_scale() > 4) return;
    std::size_t count = 0;
    for (std::size_t i = 0; i < totals_.size(); ++i) {
      const std::string words = core::kRarePaths[i].words;
      if (words.rfind(whose, 0) != 0) continue;
      ++count;
      ::testing::Test::RecordProperty("rare path " + std::to_string(i), std::to_string(totals_[i]));
      EXPECT_GT(totals_[i], 0u) << "no seed has taken the rare path '" << words
                                << "': core/rare_paths/rare_paths.h";
    }
    EXPECT_GT(count, 0u) << "no rare path is one of '" << whose << "'";
  }

 private:
  core::RarePathCounts totals_{};
};

}  // namespace freshet::testing
