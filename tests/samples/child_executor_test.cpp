// samples/child_executor as people run it: jobs in processes of their own, by way of their plan.
#include <gtest/gtest.h>

#include <filesystem>

#include "fr_run.h"
#include "rows.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

class ChildExecutor : public ::testing::Test {
 protected:
  ChildExecutor() {
    for (const auto& [variable, name] :
         {std::pair{"FRESHET_TEST_LOCAL_EXECUTOR", "local_executor.so"},
          std::pair{"FRESHET_TEST_CHILD_EXECUTOR", "child_executor.so"},
          std::pair{"FRESHET_TEST_PLAN_FRONT_END", "plan_front_end.so"},
          std::pair{"FRESHET_TEST_YAML_FRONT_END", "yaml_front_end.so"},
          std::pair{"FRESHET_TEST_TEXT_OPERATORS", "text_operators.so"}}) {
      fs::create_symlink(path_from(variable), plugins_ / name);
    }
  }
  Outcome run_on(const std::string& target, const std::string& file,
                 const std::vector<std::string>& flags, std::vector<std::string> arguments) const {
    std::vector<std::string> all{path_from("FRESHET_TEST_FR_RUN"), file, "--target=" + target};
    all.insert(all.end(), flags.begin(), flags.end());
    all.insert(all.end(), arguments.begin(), arguments.end());
    Surroundings around = fr_run_.surroundings();
    around.variables["FRESHET_PLUGIN_PATH"] = plugins_.path();
    around.variables["TMPDIR"] = plans_.path();
    return run(all, around);
  }
  Outcome run_child(const std::string& file, std::vector<std::string> arguments) const {
    return run_on("child", file, {"-Dchild.fr-run=" + path_from("FRESHET_TEST_FR_RUN")},
                  std::move(arguments));
  }

  const ScratchFolder plugins_, folder_, plans_;
  const FrRun fr_run_;
};

TEST_F(ChildExecutor, GivesTheRowsThatTheLocalOneGives) {
  std::string text;
  for (int i = 0; i < 5'000; ++i)
    text += "word" + std::to_string(i * i % 311) + (i % 7 ? " " : "\n");
  const std::string input = folder_.write("in", text);
  const std::string word_count = path_from("FRESHET_TEST_WORD_COUNT");
  std::vector<std::string> rows[2];
  for (const std::string target : {"local", "child"}) {
    const std::string output = folder_ / target;
    const Outcome outcome =
        target == "child" ? run_child(word_count, {"--input", input, "--output", output})
                          : run_on("local", word_count, {}, {"--input", input, "--output", output});
    ASSERT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.errors, "");
    for (const std::string& part : names_in(output)) {
      for (const std::string& row : lines_of(text_of_file(output + "/" + part))) {
        rows[target == "child"].push_back(row);
      }
    }
  }
  EXPECT_GE(rows[0].size(), 100u);
  EXPECT_EQ(sorted(rows[1]), sorted(rows[0]));
  EXPECT_TRUE(names_in(plans_.path()).empty()) << "the plan is gone";
}

TEST_F(ChildExecutor, RunsWhatAFrontEndHasRead) {
  const std::string output = folder_ / "out";
  const Outcome outcome = run_child(path_from("FRESHET_TEST_WORD_COUNT_YAML"),
                                    {"input=" + folder_.write("in", "a b a"), "output=" + output});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(sorted(lines_of(text_of_file(output))), (std::vector<std::string>{"a\t2", "b\t1"}));
}

TEST_F(ChildExecutor, TellsWhyAJobFailedInItsProcess) {
  const std::string job = folder_.write("job.yaml", R"(freshet-pipeline: no input
steps:
  - {id: lines, operator: text.read, with: {path: /no/such/file}}
  - {id: result, operator: text.write, with: {path: /dev/null}, from: lines, output: none}
)");
  const Outcome outcome = run_child(job, {});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.errors.find("job 'no input' failed: operator 'lines' (subtask 0): text.read "
                                "can't open '/no/such/file'"),
            std::string::npos)
      << outcome.text();
  EXPECT_TRUE(names_in(plans_.path()).empty());
}

TEST_F(ChildExecutor, TellsThatItsProgramIsMissing) {
  const std::string input = folder_.write("in", "a b a");
  const Outcome outcome = run_on("child", path_from("FRESHET_TEST_WORD_COUNT"),
                                 {"-Dchild.fr-run=/no/such/fr-run"}, {"--input", input});
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.errors.find("'/no/such/fr-run' of the target 'child' can't be started"),
            std::string::npos)
      << outcome.text();
  EXPECT_NE(outcome.errors.find("set child.fr-run"), std::string::npos);
  EXPECT_TRUE(names_in(plans_.path()).empty());
}

TEST_F(ChildExecutor, ReadsNoPlanThatIsDamaged) {
  for (const char* text :
       {"freshet-plan 1\n", "freshet-plan 1\n\n", "freshet-plan 1\n\nnot a graph",
        "freshet-plan 1\n/no/such/module.so\n\n"}) {
    const Outcome outcome = run_on("local", folder_.write("job.plan", text), {}, {});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
  }
}

}  // namespace
