// The steps at which a job of commit_application.cpp is stopped, and what it leaves.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "own_cluster.h"

namespace freshet::testing {

class CommitSteps {
 public:
  explicit CommitSteps(const ScratchFolder& scratch)
      : output_(scratch / "output"), steps_(scratch / "steps") {
    std::filesystem::create_directories(steps_);
  }
  const std::string& output() const { return output_; }
  const std::string& folder() const { return steps_; }

  void hold(const std::string& step) const { write("hold-" + step); }
  void release(const std::string& step) const { remove("hold-" + step); }
  void write(const std::string& file) const { std::ofstream(steps_ + "/" + file) << "yes"; }
  void remove(const std::string& file) const { std::filesystem::remove(steps_ + "/" + file); }
  bool has(const std::string& file) const { return std::filesystem::exists(steps_ + "/" + file); }
  // The process that has come there.
  pid_t reached(const std::string& step) const {
    const std::string file = "reached-" + step;
    EXPECT_TRUE(eventually([&] { return has(file); })) << step;
    return std::atoi(text_of_file(steps_ + "/" + file).c_str());
  }
  bool is_visible(int part) const {
    return std::filesystem::exists(output_ + "/part-" + std::to_string(part));
  }
  // Both parts with all that was written, each once, and nothing else, hidden or not.
  void expect_whole() const {
    EXPECT_EQ(names_in(output_), (std::vector<std::string>{"part-0", "part-1"}));
    std::multiset<int> found, wanted;
    for (int i = 1; i <= 20; ++i) wanted.insert(i);
    for (const char* part : {"/part-0", "/part-1"}) {
      std::ifstream file(output_ + part);
      for (int value; file >> value;) found.insert(value);
    }
    EXPECT_EQ(found, wanted);
  }
  // Visible, or prepared.
  std::vector<std::string> complete_parts() const {
    auto names = names_in(output_);
    std::erase_if(names, [](const std::string& name) {
      return name.find(".inprogress-") != std::string::npos;
    });
    return names;
  }
  void expect_nothing() const { EXPECT_EQ(names_in(output_), std::vector<std::string>{}); }

 private:
  const std::string output_, steps_;
};

// After which a job is begun again from its start, or is committed by whoever is left.
inline const std::vector<std::string> kCommitSteps{"before-prepare-0", "after-prepare-1",
                                                   "before-commit-0",  "before-commit-1",
                                                   "after-commit-0",   "after-commit-1"};

}  // namespace freshet::testing
