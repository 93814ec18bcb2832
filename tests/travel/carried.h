// Runs the carrier and other programs for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace freshet::testing {

namespace fs = std::filesystem;

inline std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Ended {
  int exit_code = -1;  // of a signal: 128 and its number
  std::string output;
  std::string errors;

  std::vector<std::string> sorted_lines() const {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < output.size();) {
      const std::size_t end = std::min(output.find('\n', at), output.size());
      lines.push_back(output.substr(at, end - at));
      at = end + 1;
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

// A folder of its own, gone with the test.
class Carried : public ::testing::Test {
 protected:
  Carried() {
    std::string pattern = (fs::temp_directory_path() / "freshet-travel-XXXXXX").native();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Carried() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Carried(const Carried&) = delete;
  Carried& operator=(const Carried&) = delete;

  fs::path file(const std::string& name) const { return folder_ / name; }
  static fs::path module(const std::string& name) {
    return fs::path(std::getenv("FRESHET_TEST_TRAVEL")) / (name + ".so");
  }

  Ended run(const std::vector<std::string>& words) const {
    std::string command;
    for (const std::string& word : words) command += "'" + word + "' ";
    const fs::path output = file("output"), errors = file("errors");
    command += "> '" + output.native() + "' 2> '" + errors.native() + "'";
    const int status = std::system(command.c_str());
    Ended ended;
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ended.output = content(output);
    ended.errors = content(errors);
    return ended;
  }
  Ended carry(const std::string& mode, const std::string& job, const fs::path& application,
              const std::vector<std::string>& arguments = {}) const {
    // Without the folders of the build, from which shipped libraries would come, too.
    std::vector<std::string> words{"env",
                                   "-u",
                                   "LD_LIBRARY_PATH",
                                   std::getenv("FRESHET_TEST_CARRIER"),
                                   mode,
                                   file(job).native(),
                                   file("state").native(),
                                   application.native()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run(words);
  }

 private:
  fs::path folder_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace freshet::testing
