// Clusters as people meet them, with a state folder of their own, so that a test can say what of
// them is left.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "child_process.h"
#include "fr_run.h"
#include "scratch_folder.h"

namespace freshet::testing {

class ClusterTest : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  ClusterTest() {
    std::filesystem::create_directories(temporary_);
    std::filesystem::create_directories(state_);
  }
  // Whatever a test did, in the end no process, socket or folder of a cluster is left. Those that
  // it left running are ended as people would.
  ~ClusterTest() override {
    if (HasFailure()) {
      for (const auto& log : std::filesystem::recursive_directory_iterator(state_))
        if (log.path().extension() == ".log")
          std::fprintf(stderr, "---- %s\n%s\n", log.path().filename().c_str(),
                       text_of_file(log.path()).c_str());
    }
  }
  void TearDown() override {
    EXPECT_TRUE(eventually([&] { return processes().empty(); })) << list_of_processes();
    fr({"cluster", "list"});  // what was killed at once is removed by the next command
    EXPECT_TRUE(names_in(folder() + "/run").empty());
    for (const std::string& name : names_in(folder() + "/clusters")) EXPECT_EQ(name, ".lock");
    EXPECT_TRUE(names_in(temporary_).empty()) << names_in(temporary_).front();
    for (const pid_t process : processes()) ::kill(process, SIGKILL);
  }

  std::string folder() const { return state_ + "/freshet"; }

  Surroundings surroundings() const {
    Surroundings around = home_.surroundings();
    around.variables["XDG_STATE_HOME"] = state_;
    around.variables["XDG_RUNTIME_DIR"] = "";
    around.variables["TMPDIR"] = temporary_;
    around.variables["FRESHET_PLUGIN_PATH"] = path_from("FRESHET_TEST_PLUGIN_FOLDERS");
    return around;
  }
  // fr-run, with the application of these tests unless the words begin with a path.
  Words line(const Words& words) const {
    Words all{path_from("FRESHET_TEST_FR_RUN")};
    if (words.empty() || words[0][0] != '/') all.push_back(application_);
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  Outcome fr_run(const Words& words) const { return run(line(words), surroundings()); }
  Outcome application(Words words) const {
    words.insert(words.begin() + (words[0][0] == '/' ? 1 : 0), "--target=standalone");
    return fr_run(words);
  }
  Outcome in_session(Words words) const {
    words.insert(words.begin() + (words[0][0] == '/' ? 1 : 0), "--target=standalone-session");
    return fr_run(words);
  }
  Outcome fr(const Words& words) const {
    Words all{path_from("FRESHET_TEST_FR")};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, surroundings());
  }
  nlohmann::json fr_json(Words words) const {
    words.push_back("--json");
    const Outcome outcome = fr(words);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    return nlohmann::json::parse(outcome.output, nullptr, false);
  }
  void start_session(const std::string& id, const Words& more = {}) const {
    Words words{"cluster", "start", "--cluster-id=" + id, "--slots", "2"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = fr(words);
    ASSERT_EQ(outcome.code, 0) << outcome.text();
    ASSERT_EQ(outcome.output, id + "\n");
  }
  void stop_session(const std::string& id) const {
    const Outcome outcome = fr({"cluster", "stop", "--cluster-id=" + id});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_NE(outcome.output.find("has ended"), std::string::npos) << outcome.text();
  }

  // Of this test's clusters, by what stands in their command line ("" for all).
  std::vector<pid_t> processes(const std::string& word = "") const {
    std::vector<pid_t> found;
    std::error_code ignored;
    for (const auto& each : std::filesystem::directory_iterator("/proc", ignored)) {
      const pid_t process = std::atoi(each.path().filename().c_str());
      if (process <= 0 || process == ::getpid()) continue;
      if (content(each.path() / "environ").find("XDG_STATE_HOME=" + state_) == std::string::npos)
        continue;
      const std::string words = content(each.path() / "cmdline");
      // A template is no runner and no worker, though it will fork them.
      const bool counts = word.empty() || words.find("(template)") == std::string::npos;
      if (!words.empty() && counts && words.find(word) != std::string::npos)
        found.push_back(process);
    }
    return found;
  }
  pid_t process(const std::string& word) const {
    const auto found = processes(std::string("/fr") + '\0' + word);
    EXPECT_EQ(found.size(), 1u) << word << "\n" << list_of_processes();
    return found.empty() ? 0 : found[0];
  }
  std::string list_of_processes() const {
    std::string list;
    for (const pid_t each : processes()) {
      std::string words = content("/proc/" + std::to_string(each) + "/cmdline");
      for (char& c : words) c = c == '\0' ? ' ' : c;
      list += std::to_string(each) + ": " + words + "\n";
    }
    return list;
  }
  // As much as can be read: a process may end while its /proc is read, which an
  // istreambuf_iterator would throw.
  static std::string content(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  ScratchFolder scratch_;
  FrRun home_;
  const std::string state_ = scratch_ / "state ü x";
  const std::string temporary_ = scratch_ / "t";
  const std::string application_ = path_from("FRESHET_TEST_APPLICATION");
  const std::string word_count_ = path_from("FRESHET_TEST_WORD_COUNT");
};

inline bool says(const Outcome& outcome, const std::string& part) {
  return outcome.errors.find(part) != std::string::npos;
}

}  // namespace freshet::testing
