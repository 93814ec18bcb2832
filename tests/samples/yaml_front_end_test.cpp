// samples/yaml_front_end as people run it: fr-run finds the front end for a file, mistakes in the
// file are told with line and column.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fr_run.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

class YamlFrontEnd : public ::testing::Test {
 protected:
  YamlFrontEnd() {
    install("FRESHET_TEST_LOCAL_EXECUTOR", "local_executor.so");
    install("FRESHET_TEST_YAML_FRONT_END", "yaml_front_end.so");
    install("FRESHET_TEST_TEXT_OPERATORS", "text_operators.so");
  }
  void install(const char* variable, const std::string& name) {
    fs::create_directories(plugins_.path());
    fs::create_symlink(path_from(variable), plugins_ / name);
  }
  // A copy that anybody may write to, which is refused.
  void expose(const char* variable, const std::string& name) {
    fs::remove(plugins_ / name);
    fs::copy_file(path_from(variable), plugins_ / name);
    fs::permissions(plugins_ / name, fs::perms(0666));
  }
  static void replace_all(std::string& text, const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  Outcome run_file(const std::string& file, const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> all{"--target=local", "--plugin-dir", plugins_.path(), file};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return fr_run_(all);
  }
  Outcome info(const std::string& file, const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> all{path_from("FRESHET_TEST_FR"), "info", "--plugin-dir",
                                 plugins_.path(), file};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return freshet::testing::run(all, fr_run_.surroundings());
  }
  // That text, as a pipeline.
  Outcome run_text(const std::string& text, const std::vector<std::string>& arguments = {}) const {
    return run_file(folder_.write("job.yaml", text), arguments);
  }
  void expect_refused(const std::string& text, const std::string& said,
                      const std::vector<std::string>& arguments = {}) const {
    SCOPED_TRACE(text);
    const Outcome outcome = run_text(text, arguments);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_NE(outcome.text().find(said), std::string::npos) << outcome.text();
  }

  const ScratchFolder plugins_, folder_;
  const FrRun fr_run_;
};

TEST_F(YamlFrontEnd, CountsWordsAsALoopDoes) {
  std::string text;
  std::map<std::string, int> counts;
  for (int i = 0; i < 2'000; ++i) {
    const std::string word = "w" + std::to_string(i * i % 137);
    text += word + (i % 9 == 0 ? ".\n" : i % 2 ? " " : ", ");
    ++counts[word];
  }
  std::string expected;
  for (const auto& [word, count] : counts) expected += word + "\t" + std::to_string(count) + "\n";
  const std::string output = folder_ / "counts";
  const Outcome outcome = run_file(path_from("FRESHET_TEST_WORD_COUNT_YAML"),
                                   {"input=" + folder_.write("in", text), "output=" + output});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  std::vector<std::string> lines, wanted;
  for (std::istringstream all(text_of_file(output)); std::getline(all, text);)
    lines.push_back(text);
  for (std::istringstream all(expected); std::getline(all, text);) wanted.push_back(text);
  std::sort(lines.begin(), lines.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(lines, wanted);
}

constexpr const char* kReads = R"(freshet-pipeline: small
steps:
  - id: lines
    operator: text.read
    with: {path: /dev/null}
)";

TEST_F(YamlFrontEnd, TellsMistakesWithLineAndColumn) {
  const std::string reads = kReads;
  expect_refused("freshet-pipeline: x\nsteps: [", "job.yaml:2:1: is no YAML");
  expect_refused("freshet-pipeline: x\n", "job.yaml:1:1: 'steps' is missing: add it");
  expect_refused("freshet-pipeline: x\nsteps: []\n", "job.yaml:2:8: 'steps' is no list");
  expect_refused("freshet-pipeline: x\nsteps:\n  - 7\n", "job.yaml:3:5: is no step");
  expect_refused("freshet-pipeline: x\nsteps:\n  - id: a\n", "job.yaml:3:5: 'operator' is missing");
  expect_refused(reads + "  - id: lines\n    operator: text.upper\n",
                 "job.yaml:6:9: two steps have the id 'lines'");
  expect_refused(reads + "  - id: up\n    operater: text.upper\n",
                 "job.yaml:7:5: there is no 'operater' here, but from, id, operator, output");
  expect_refused(reads + "  - id: up\n    operator: text.upper\n    from: line\n",
                 "job.yaml:8:11: no step before this one has the id 'line'");
  expect_refused(
      reads + "  - id: up\n    operator: text.upper\n    from: lines\n    parallelism: 0\n",
      "job.yaml:9:18: 'parallelism' is not a number from 1 to 128");
  expect_refused(
      reads + "  - id: up\n    operator: text.upper\n    from: lines\n    partition: hahs\n",
      "job.yaml:9:16: 'partition' is 'hahs', but may be broadcast, forward, global, hash, "
      "rebalance");
  expect_refused(reads + "  - id: w\n    operator: text.write\n    with: {path: \"${out}\"}\n",
                 "job.yaml:8:18: ${out} has no value: give out=VALUE behind the file");
  expect_refused(reads + "name: twice\n", "job.yaml:6:1: there is no 'name' here");
  expect_refused(reads, "argument 'input' of", {"input=x"});
  expect_refused(reads, "is not of the form name=value", {"input"});
}

TEST_F(YamlFrontEnd, HasItsGraphRefusedAsAnyOther) {
  const std::string reads = kReads;
  expect_refused(
      reads + "  - id: up\n    operator: text.uper\n    from: lines\n    output: none\n",
      "operator 'up' of job 'small' is registered as 'text.uper', which no loaded module "
      "has (is 'text.upper' meant? Registered are 'text.");
  expect_refused(
      reads + "  - id: c\n    operator: text.count\n    from: lines\n    partition: hash\n",
      "step 'c' partitions 'lines' by hash, whose output is not keyed");
  expect_refused(
      reads + "  - id: up\n    operator: text.upper\n    from: lines\n    parallelism: 2\n",
      "is forward, with parallelism 1 and 2");
}

TEST_F(YamlFrontEnd, TellsWhatAnOperatorSaidOfItsJob) {
  const Outcome outcome = run_text(R"(freshet-pipeline: no input
steps:
  - {id: lines, operator: text.read, with: {path: /no/such/file}}
  - {id: result, operator: text.write, with: {path: /dev/null}, from: lines, output: none}
)");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.text().find("text.read can't open '/no/such/file': No such file or "
                                "directory: let 'path' be a file"),
            std::string::npos)
      << outcome.text();
}

TEST_F(YamlFrontEnd, TakesAFolderForNoEmptyFile) {
  const std::string output = folder_ / "counts";
  const Outcome outcome = run_file(path_from("FRESHET_TEST_WORD_COUNT_YAML"),
                                   {"input=" + folder_.path(), "output=" + output});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.text().find("text.read can't read '" + folder_.path() + "' to its end"),
            std::string::npos)
      << outcome.text();
  EXPECT_FALSE(fs::exists(output));
}

TEST_F(YamlFrontEnd, IsOneOfThoseListedForAFileThatNoneClaims) {
  for (const char* text : {"name: another kind of YAML\n", "# nothing but a remark", "\n"}) {
    const Outcome outcome = run_text(text);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_NE(outcome.text().find("no front end recognises it"), std::string::npos)
        << outcome.text();
    EXPECT_NE(outcome.text().find("yaml_front_end.so"), std::string::npos) << outcome.text();
  }
}

TEST_F(YamlFrontEnd, MustBeTheOnlyOneForAFile) {
  install("FRESHET_TEST_GREEDY_FRONT_END", "greedy.so");
  const Outcome outcome = run_text(kReads);
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_NE(outcome.text().find("2 front ends recognise"), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.text().find("'greedy' in "), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.text().find("'yaml' in "), std::string::npos) << outcome.text();
}

TEST_F(YamlFrontEnd, ThatIsRefusedIsNamedToWhoeverNeedsIt) {
  expose("FRESHET_TEST_YAML_FRONT_END", "yaml_front_end.so");
  const std::string job = path_from("FRESHET_TEST_WORD_COUNT_YAML");
  for (const Outcome& outcome : {run_file(job), info(job)}) {
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    for (const std::string& part :
         {job + "' is no application (not an ELF file), and no front end recognises it",
          std::string("as an application: it is not an ELF file"),
          std::string("found: no front end plugin"),
          "refused: " + (plugins_ / "yaml_front_end.so") + ": anybody may write to it",
          "looked in: " + plugins_.path()}) {
      EXPECT_NE(outcome.errors.find(part), std::string::npos) << part << "\n" << outcome.text();
    }
  }
}

TEST_F(YamlFrontEnd, TellsOfARefusedLibraryWhoseOperatorsAreAskedFor) {
  expose("FRESHET_TEST_TEXT_OPERATORS", "text_operators.so");
  expect_refused(kReads, "is registered as 'text.read', which no loaded module has");
  expect_refused(kReads, "refused: " + (plugins_ / "text_operators.so") + ": anybody may write");
  expect_refused(kReads, "looked in: " + plugins_.path());
}

constexpr const char* kWrites =
    "  - {id: result, operator: text.write, with: {path: \"${out}\"}, from: lines, output: none}\n";

TEST_F(YamlFrontEnd, RunsBesideALibraryThatTheLoaderRefuses) {
  std::string needy = text_of_file(path_from("FRESHET_TEST_TEXT_OPERATORS"));
  replace_all(needy, "text-operators", "next-operators");
  replace_all(needy, "libyaml-cpp.so", "libyaml-cqq.so");
  folder_.write("needy.so", needy);
  fs::rename(folder_ / "needy.so", plugins_ / "needy.so");
  const Outcome beside = run_text(std::string(kReads) + kWrites, {"out=" + (folder_ / "out")});
  EXPECT_EQ(beside.code, 0) << beside.text();
  EXPECT_NE(beside.errors.find("'next-operators' (" + (plugins_ / "needy.so") + ") is skipped: "),
            std::string::npos)
      << beside.text();
  fs::remove(plugins_ / "text_operators.so");
  expect_refused(kReads, "'next-operators' (" + (plugins_ / "needy.so") +
                             ") is skipped: the loader refuses it: ");
}

TEST_F(YamlFrontEnd, TellsOfOperatorsThatTwoLibrariesHave) {
  std::string other = text_of_file(path_from("FRESHET_TEST_TEXT_OPERATORS"));
  replace_all(other, "text-operators", "next-operators");
  folder_.write("another.so", other);
  fs::rename(folder_ / "another.so", plugins_ / "another.so");
  const Outcome outcome = run_text(std::string(kReads) + kWrites, {"out=" + (folder_ / "out")});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const std::size_t at = outcome.errors.find("operator 'text.read' is registered by ");
  ASSERT_NE(at, std::string::npos) << outcome.text();
  const std::string line = outcome.errors.substr(at, outcome.errors.find('\n', at) - at);
  EXPECT_NE(line.find("another.so"), std::string::npos) << line;
  EXPECT_NE(line.find("text_operators.so"), std::string::npos) << line;
}

// greedy.so stands before yaml_front_end.so, and is asked for its translator first.
TEST_F(YamlFrontEnd, RunsBesideOneThatHasNoTranslator) {
  install("FRESHET_TEST_GREEDY_FRONT_END", "greedy.so");
  const std::string output = folder_ / "out";
  const std::string job = folder_.write(
      "job.yml",
      std::string(kReads) +
          "  - {id: result, operator: text.write, with: {path: \"${out}\"}, from: lines, "
          "output: none}\n");
  const Outcome outcome = run_file(job, {"out=" + output});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(fs::exists(output));
}

TEST_F(YamlFrontEnd, HasAPlanThatFrInfoShows) {
  const std::string output = folder_ / "out";
  const Outcome plan =
      info(path_from("FRESHET_TEST_WORD_COUNT_YAML"), {"input=none", "output=" + output});
  EXPECT_EQ(plan.code, 0) << plan.text();
  EXPECT_EQ(plan.output.rfind("job 'word count': ", 0), 0u) << plan.text();
  for (const char* step : {"text.read 'lines'", "text.split 'words'", "text.count 'counts'"})
    EXPECT_NE(plan.output.find(step), std::string::npos) << step << "\n" << plan.text();
  EXPECT_EQ(plan.errors, "");
  EXPECT_FALSE(fs::exists(output)) << "the job has run";
}

TEST_F(YamlFrontEnd, IsAskedByFrInfoAsByFrRun) {
  const std::string broken = folder_.write("broken.yaml", "freshet-pipeline: x\n");
  Outcome told = info(broken);
  EXPECT_EQ(told.code, 65) << told.text();
  EXPECT_NE(told.errors.find("broken.yaml:1:1: 'steps' is missing: add it"), std::string::npos);
  told = info(folder_.write("other.yaml", "name: another kind of YAML\n"));
  EXPECT_EQ(told.code, 65) << told.text();
  EXPECT_NE(told.errors.find("no front end recognises it"), std::string::npos) << told.text();
  told = info("--ship", {"/dev/null", broken});
  EXPECT_EQ(told.code, 65) << told.text();
  EXPECT_NE(told.errors.find("--ship is for applications"), std::string::npos) << told.text();
}

TEST_F(YamlFrontEnd, ShipsNothing) {
  const Outcome outcome = fr_run_({"--target=local", "--plugin-dir", plugins_.path(), "--ship",
                                   "/dev/null", folder_.write("job.yaml", kReads)});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_NE(outcome.text().find("--ship is for applications"), std::string::npos) << outcome.text();
}

}  // namespace
