// `fr plugin check` as people call it: what is right passes, and each thing that is wrong with a
// plugin makes its own case fail and no other.
#include <gtest/gtest.h>

#include <cctype>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "fr.h"
#include "sanitized.h"

namespace {

using namespace freshet::testing;
using nlohmann::json;
using Names = std::set<std::string>;

struct Checked {
  Outcome outcome;
  json report;

  Names with(const std::string& result) const {
    Names names;
    for (const json& each : report["cases"])
      if (each["result"] == result) names.insert(each["name"]);
    return names;
  }
  std::string detail(const std::string& name) const {
    for (const json& each : report["cases"])
      if (each["name"] == name) return each["detail"];
    return "no case " + name;
  }
};

Checked check(const std::string& file, const std::vector<std::string>& more = {},
              const std::string& bad = {}) {
  const Fr fr;
  Surroundings around = fr.surroundings();
  around.variables["FRESHET_TEST_BAD"] = bad;
  std::vector<std::string> arguments{
      "plugin", "check", "--json", "--time-limit", bad.empty() ? "60" : "4", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Checked checked{fr.in(around, arguments), {}};
  checked.report = json::parse(checked.outcome.output, nullptr, /*allow_exceptions=*/false);
  return checked;
}

struct Wrong {
  const char* what;
  const char* failed_case;
  const char* says;
};

void PrintTo(const Wrong& wrong, std::ostream* to) { *to << wrong.what; }

std::string test_name(const ::testing::TestParamInfo<Wrong>& info) {
  std::string name;
  bool begins = true;
  for (const char* c = info.param.what; *c != '\0'; ++c) {
    if (*c == '\'') continue;
    if (*c != ' ') name += begins ? static_cast<char>(std::toupper(*c)) : *c;
    begins = *c == ' ';
  }
  return name;
}

class AnExecutorThat : public ::testing::TestWithParam<Wrong> {};
class AFrontEndThat : public ::testing::TestWithParam<Wrong> {};
class OperatorsOfWhichOne : public ::testing::TestWithParam<Wrong> {};

TEST_P(AnExecutorThat, FailsThatCaseAlone) {
  if (kAddressSanitized && std::string(GetParam().failed_case).ends_with("memory"))
    GTEST_SKIP() << "the sanitizer's allocator does not tell what it has handed out";
  const Checked checked = check(path_from("FRESHET_TEST_BAD_EXECUTOR"), {}, GetParam().what);
  EXPECT_EQ(checked.outcome.code, 1) << checked.outcome.text();
  EXPECT_EQ(checked.with("failed"), Names{GetParam().failed_case}) << checked.report.dump(2);
  EXPECT_NE(checked.detail(GetParam().failed_case).find(GetParam().says), std::string::npos)
      << checked.detail(GetParam().failed_case);
}

INSTANTIATE_TEST_SUITE_P(
    FrPluginCheck, AnExecutorThat,
    ::testing::Values(
        Wrong{"crashes on exit", "loads", "signal SIGABRT after its work, on exit"},
        Wrong{"crashes in create", "creates", "signal SIGABRT, while create()"},
        Wrong{"gives no object", "creates", "says: no coffee left"},
        Wrong{"hangs in destroy", "creates", "does not end within 4 s, while destroy()"},
        Wrong{"leaks memory", "memory", "bytes of heap"},
        Wrong{"leaks a descriptor", "descriptors", "leave 50 descriptors open, such as "},
        Wrong{"leaks a thread", "threads", "leave 50 threads"},
        Wrong{"leaks memory of executors", "executor-memory", "bytes of heap"},
        Wrong{"leaks a descriptor of executors", "executor-descriptors", "leave 50 descriptors"},
        Wrong{"leaks a thread of executors", "executor-threads", "leave 50 threads"},
        Wrong{"has one object", "several", "the same object"},
        Wrong{"writes behind the buffer", "errors", "beyond the 1 bytes"},
        Wrong{"says yes to all", "compatibility", "says yes to a configuration without a target"},
        Wrong{"throws at odd targets", "compatibility", "is_compatible_with() throws for"},
        Wrong{"gives wrong results", "results", "job 'broadcast': expected 20 records, got 10"},
        Wrong{"loses collected records", "collect", "expected 20000 records, got"},
        Wrong{"loses accumulators", "accumulators", "no accumulator 'kit.seen'"},
        Wrong{"hides failures", "failures", "a job whose function throws has returned"},
        Wrong{"ignores cancel", "cancel", "does not end within 4 s"},
        Wrong{"gives all jobs one id", "two-jobs", "two jobs have the id 7777"},
        Wrong{"throws from execute", "refusals", "put it into the future"}),
    test_name);

TEST_P(OperatorsOfWhichOne, FailsThatCaseAlone) {
  if (kAddressSanitized && std::string(GetParam().failed_case).ends_with("memory"))
    GTEST_SKIP() << "the sanitizer's allocator does not tell what it has handed out";
  const Checked checked = check(path_from("FRESHET_TEST_BAD_OPERATORS"), {}, GetParam().what);
  EXPECT_EQ(checked.outcome.code, 1) << checked.outcome.text();
  EXPECT_EQ(checked.with("failed"), Names{GetParam().failed_case}) << checked.report.dump(2);
  EXPECT_NE(checked.detail(GetParam().failed_case).find(GetParam().says), std::string::npos)
      << checked.detail(GetParam().failed_case);
}

INSTANTIATE_TEST_SUITE_P(
    FrPluginCheck, OperatorsOfWhichOne,
    ::testing::Values(
        Wrong{"uses a name twice", "names", "two operators are registered as 'bad.taker'"},
        Wrong{"crashes at a bad payload", "payloads", "SIGABRT, while making 'bad.taker' from"},
        Wrong{"throws no exception at a bad payload", "payloads", "no std::exception"},
        Wrong{"crashes in close", "life", "SIGABRT, while running 'bad.taker'"},
        Wrong{"leaks memory", "operator-memory", "bytes of heap"},
        Wrong{"leaks a descriptor", "operator-descriptors", "leave 50 descriptors"},
        Wrong{"leaks a thread", "operator-threads", "leave 50 threads"},
        Wrong{"can't be twice", "two-subtasks", "'bad.taker' of 2 subtasks"},
        Wrong{"blocks its thread", "life", "'bad.giver'"}),
    test_name);

// With a sample, and the operators that it asks for.
Checked check_front_end(const std::string& bad) {
  const ScratchFolder scratch;
  const std::string sample = scratch.write("sample", "bad 1\n/etc/hostname\n/dev/null\nend\n");
  return check(
      path_from("FRESHET_TEST_BAD_FRONT_END"),
      {"--sample", sample, "--plugin-dir", path_from("FRESHET_TEST_TEXT_OPERATORS_FOLDER")}, bad);
}

TEST_P(AFrontEndThat, FailsThatCaseAlone) {
  if (kAddressSanitized && std::string(GetParam().failed_case).ends_with("memory"))
    GTEST_SKIP() << "the sanitizer's allocator does not tell what it has handed out";
  const Checked checked = check_front_end(GetParam().what);
  EXPECT_EQ(checked.outcome.code, 1) << checked.outcome.text();
  EXPECT_EQ(checked.with("failed"), Names{GetParam().failed_case}) << checked.report.dump(2);
  EXPECT_NE(checked.detail(GetParam().failed_case).find(GetParam().says), std::string::npos)
      << checked.detail(GetParam().failed_case);
}

INSTANTIATE_TEST_SUITE_P(
    FrPluginCheck, AFrontEndThat,
    ::testing::Values(
        Wrong{"does not know its own files", "sample", "recognises() says no to the sample"},
        Wrong{"gives pipelines of another kind", "sample", "of kind 'test.worse'"},
        Wrong{"asks for an unknown operator", "sample", "is 'text.read' meant?"},
        Wrong{"crashes at a cut file", "damaged",
              "SIGABRT, while reading the sample cut to 5 of 34 bytes"},
        Wrong{"hangs at a cut file", "damaged",
              "does not end within 4 s, while reading the sample cut to 5 of 34 bytes"},
        Wrong{"gives nothing for a damaged file", "damaged", "read() gives no pipeline for"},
        Wrong{"throws what is no error of Freshet", "damaged",
              "read() throws what is no freshet::Error for a file that does not exist: no line 4"},
        Wrong{"throws what is no exception", "damaged", "no freshet::Error"},
        Wrong{"hides which file it is", "damaged", "without naming the file: there is no end"},
        Wrong{"takes any file", "damaged", "it makes a job of a file that does not exist"},
        Wrong{"translates what it should not", "damaged", "translate() throws what is no"},
        Wrong{"leaks a descriptor", "sample-descriptors", "leave 50 descriptors"},
        Wrong{"leaks memory", "sample-memory", "bytes of heap"}),
    test_name);

TEST(FrPluginCheck, TheLocalExecutorPasses) {
  const Checked checked = check(path_from("FRESHET_TEST_LOCAL_EXECUTOR"));
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("passed").size(), 20u) << checked.report.dump(2);
  EXPECT_EQ(checked.report["kind"], "executor");
  EXPECT_EQ(checked.report["name"], "local");
  EXPECT_EQ(checked.report["failed"], 0);
}

TEST(FrPluginCheck, WithNothingWrongTheFixturesPass) {
  const Checked executor = check(path_from("FRESHET_TEST_BAD_EXECUTOR"));
  EXPECT_EQ(executor.outcome.code, 0) << executor.outcome.text();
  const Checked operators = check(path_from("FRESHET_TEST_BAD_OPERATORS"));
  EXPECT_EQ(operators.outcome.code, 0) << operators.outcome.text();
  EXPECT_EQ(operators.with("passed"),
            (Names{"identity", "loads", "exports", "names", "payloads", "life", "operator-threads",
                   "operator-descriptors", "operator-memory", "two-subtasks"}));
  EXPECT_EQ(operators.with("skipped"), Names{"pairs"}) << "they have no source and sink";
}

TEST(FrPluginCheck, AnExecutorThatRunsJobsInOtherProcessesPasses) {
  const Checked checked = check(path_from("FRESHET_TEST_CHILD_EXECUTOR"),
                                {"-D", "child.fr-run=" + path_from("FRESHET_TEST_FR_RUN")});
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("skipped"), (Names{"accumulators", "collect"}));
}

// As where a script starts it with '&': the program that runs its jobs ends at SIGTERM alone.
TEST(FrPluginCheck, AnExecutorWhoseJobsAreProcessesEndsThemWhereSignalsAreIgnored) {
  const Fr fr;
  const ScratchFolder scratch;
  const std::string program = scratch.write("fr-run", "#!/bin/sh\nexec sleep 1000\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  Surroundings around = fr.surroundings();
  around.variables["TMPDIR"] = scratch / "plans";
  std::filesystem::create_directory(scratch / "plans");
  const Outcome outcome =
      run({"/bin/sh", "-c", "trap '' INT TERM HUP; exec \"$@\"", "sh", path_from("FRESHET_TEST_FR"),
           "plugin", "check", "--time-limit", "20", "--case", "collect",
           path_from("FRESHET_TEST_CHILD_EXECUTOR"), "-D", "child.fr-run=" + program},
          around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output.find("FAILED"), std::string::npos) << outcome.text();
  EXPECT_TRUE(names_in(scratch / "plans").empty()) << "the plan is gone";
}

TEST(FrPluginCheck, AFrontEndPasses) {
  const Checked checked = check(path_from("FRESHET_TEST_FRONT_END"));
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("passed").count("kind"), 1u) << checked.report.dump(2);
  EXPECT_EQ(checked.with("skipped"),
            (Names{"sample", "damaged", "sample-threads", "sample-descriptors", "sample-memory"}));
  EXPECT_NE(checked.detail("sample").find("--sample FILE"), std::string::npos);
  EXPECT_EQ(check_front_end("").outcome.code, 0) << "with nothing wrong";
}

TEST(FrPluginCheck, AFrontEndReadsItsSampleAndWhatIsLeftOfIt) {
  const std::vector<std::string> given{"--sample", path_from("FRESHET_TEST_WORD_COUNT_YAML"),
                                       "--plugin-dir",
                                       path_from("FRESHET_TEST_TEXT_OPERATORS_FOLDER")};
  std::vector<std::string> all = given;
  all.insert(all.end(), {"--", "input=a", "output=b"});
  const Checked checked = check(path_from("FRESHET_TEST_FRONT_END"), all);
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.detail("sample"), "a job of 4 operators");
  EXPECT_EQ(checked.with("passed").count("damaged"), 1u) << checked.report.dump(2);

  const Checked without_arguments = check(path_from("FRESHET_TEST_FRONT_END"), given);
  EXPECT_EQ(without_arguments.with("failed"), Names{"sample"});
  EXPECT_NE(without_arguments.detail("sample").find("give input=VALUE behind the file"),
            std::string::npos)
      << without_arguments.detail("sample");
  const Checked no_operators =
      check(path_from("FRESHET_TEST_FRONT_END"),
            {"--sample", given[1], "--case", "sample", "--", "input=a", "output=b"});
  EXPECT_EQ(no_operators.with("failed"), Names{"sample"});
  EXPECT_NE(no_operators.detail("sample").find("--plugin-dir adds a folder"), std::string::npos)
      << no_operators.detail("sample");
}

TEST(FrPluginCheck, AFrontEndThatClaimsWhatIsNotItsOwnFails) {
  const Checked checked = check(path_from("FRESHET_TEST_GREEDY_FRONT_END"));
  EXPECT_EQ(checked.outcome.code, 1) << checked.outcome.text();
  EXPECT_EQ(checked.with("failed"), (Names{"claims", "kind"})) << checked.report.dump(2);
  EXPECT_NE(checked.detail("claims").find("it claims a file '/folder/file.yaml' that begins with"),
            std::string::npos)
      << checked.detail("claims");
  EXPECT_NE(checked.detail("kind").find("it has no translator"), std::string::npos)
      << checked.detail("kind");
}

TEST(FrPluginCheck, AnExecutorMaySayThatItCanNotCollect) {
  const Checked checked =
      check(path_from("FRESHET_TEST_BAD_EXECUTOR"), {}, "does not support collect");
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("skipped"), Names{"collect"});
}

TEST(FrPluginCheck, ASourceWithoutEndIsCanceled) {
  const Checked checked =
      check(path_from("FRESHET_TEST_BAD_OPERATORS"), {}, "has a source without end");
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
}

TEST(FrPluginCheck, AnOperatorThatSaysWhyItDoesNotRunIsLeftOut) {
  const Checked checked = check(path_from("FRESHET_TEST_BAD_OPERATORS"), {}, "fails to open");
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("skipped").count("life"), 1u);
  EXPECT_NE(checked.detail("life").find("the door is stuck"), std::string::npos);
  EXPECT_NE(checked.detail("life").find("--payload bad.taker="), std::string::npos);
  const Checked empty =
      check(path_from("FRESHET_TEST_BAD_OPERATORS"), {"--payload", "bad.taker="}, "fails to open");
  EXPECT_EQ(empty.with("failed"), Names{"life"}) << "the empty payload is the right one";
  const Checked given = check(path_from("FRESHET_TEST_BAD_OPERATORS"),
                              {"--payload", "bad.taker=string:x"}, "fails to open");
  EXPECT_EQ(given.with("failed"), Names{"life"}) << given.outcome.text();
}

TEST(FrPluginCheck, AConnectorIsTakenThroughItsLifeWithItsPayload) {
  const ScratchFolder scratch;
  const std::string notes = scratch.write("notes", "one\ntwo\n");
  const std::vector<std::string> payloads{"--payload", "notes.read=string:" + notes, "--payload",
                                          "notes.write=string:{new}"};
  const Checked checked = check(path_from("FRESHET_TEST_CONNECTOR"), payloads);
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("passed").size(), 11u) << checked.report.dump(2);
  EXPECT_EQ(checked.detail("pairs"), "'notes.read' before 'notes.write'");
  EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"notes"}));
  // What a job has written is not replaced by the next one.
  const Checked fixed =
      check(path_from("FRESHET_TEST_CONNECTOR"),
            {payloads[0], payloads[1], "--payload", "notes.write=string:" + (scratch / "out")});
  EXPECT_EQ(fixed.outcome.code, 1) << fixed.outcome.text();
  EXPECT_NE(fixed.detail("operator-threads").find("is not replaced"), std::string::npos)
      << fixed.outcome.text();

  const Checked without = check(path_from("FRESHET_TEST_CONNECTOR"));
  EXPECT_EQ(without.outcome.code, 0);
  EXPECT_EQ(without.with("skipped"), (Names{"life", "operator-threads", "operator-descriptors",
                                            "operator-memory", "two-subtasks", "pairs"}));
  const Checked one = check(path_from("FRESHET_TEST_CONNECTOR"), {payloads[0], payloads[1]});
  EXPECT_EQ(one.outcome.code, 0);
  EXPECT_EQ(one.with("skipped").count("life"), 1u) << one.report.dump(2);
  EXPECT_EQ(one.detail("life").rfind("of 2 operators 1 ran, left out are\n'notes.write'", 0), 0u)
      << one.detail("life");
}

TEST(FrPluginCheck, SymbolsBesideTheEntryAreNamed) {
  const Checked checked = check(path_from("FRESHET_TEST_BAD_EXPORTS"), {"--case", "exports"});
  EXPECT_EQ(checked.outcome.code, 1) << checked.outcome.text();
  EXPECT_NE(checked.detail("exports").find("it exports more than freshet_plugin: "),
            std::string::npos);
}

TEST(FrPluginCheck, OfAnApplicationTheMainIsPlanned) {
  const std::string job = path_from("FRESHET_TEST_CONNECTOR_JOB");
  const Checked without = check(job);
  EXPECT_EQ(without.outcome.code, 0) << without.outcome.text();
  EXPECT_EQ(without.with("skipped"), Names{"plans"});
  const Checked refused = check(job, {"--", "only one"});
  EXPECT_EQ(refused.outcome.code, 1);
  EXPECT_EQ(refused.with("failed"), Names{"plans"});
}

TEST(FrPluginCheck, OfARefusedFileNothingIsRun) {
  const ScratchFolder scratch;
  const Checked checked = check(scratch.write("text.so", "not a plugin"));
  EXPECT_EQ(checked.outcome.code, 65) << checked.outcome.text();
  EXPECT_EQ(checked.with("failed"), Names{"identity"});
  EXPECT_EQ(checked.report["cases"].size(), 1u);
  const Outcome told = Fr()({"plugin", "check", scratch / "text.so"});
  EXPECT_EQ(told.code, 65) << told.text();
  EXPECT_EQ(lines_of(told.output).at(0), (scratch / "text.so") + " is refused");
}

TEST(FrPluginCheck, InterruptedItLeavesNoProcessAndNoFolder) {
  const Fr fr;
  const ScratchFolder scratch;
  Surroundings around = fr.surroundings();
  around.variables["FRESHET_TEST_BAD"] = "hangs in destroy";
  around.variables["TMPDIR"] = scratch.path();
  ChildProcess child({path_from("FRESHET_TEST_FR"), "plugin", "check",
                      path_from("FRESHET_TEST_BAD_EXECUTOR"), "--case", "creates"},
                     around);
  // Its case has a folder.
  ASSERT_TRUE(eventually([&] {
    const auto names = names_in(scratch.path());
    return !names.empty() && names_in(scratch / names.front()).size() == 1;
  }));
  child.send(SIGINT);
  const Outcome outcome = child.wait(20);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_TRUE(names_in(scratch.path()).empty());
}

TEST(FrPluginCheck, WhereNobodyReadsItStopsAndLeavesNoFolder) {
  const Fr fr;
  const ScratchFolder scratch;
  Surroundings around = fr.surroundings();
  around.variables["TMPDIR"] = scratch.path();
  // By the time it prints, what would have read has ended.
  const std::string script =
      "exec 3> >(exec true); wait $!; \"$0\" plugin check \"$1\" --case loads --case creates "
      "--case several >&3";
  const Outcome outcome = run({"/bin/bash", "-c", script, path_from("FRESHET_TEST_FR"),
                               path_from("FRESHET_TEST_LOCAL_EXECUTOR")},
                              around);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_TRUE(names_in(scratch.path()).empty());
}

TEST(FrPluginCheck, TellsALineForEachCase) {
  const Fr fr;
  const Outcome outcome = fr({"plugin", "check", path_from("FRESHET_TEST_LOCAL_EXECUTOR"), "--case",
                              "loads", "--case", "creates"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const auto lines = lines_of(outcome.output);
  ASSERT_EQ(lines.size(), 4u) << outcome.text();
  EXPECT_EQ(lines[1].rfind("  passed   loads ", 0), 0u) << lines[1];
  EXPECT_EQ(lines[2].rfind("  passed   creates ", 0), 0u) << lines[2];
  EXPECT_EQ(lines[3], "2 passed, 0 failed, 0 skipped");
}

TEST(FrPluginCheck, AWrongCommandLineIsBadUsage) {
  const std::string local = path_from("FRESHET_TEST_LOCAL_EXECUTOR");
  EXPECT_EQ(check(local, {"--case", "nothing"}).outcome.code, 64);
  EXPECT_EQ(check(local, {"--payload", "x"}).outcome.code, 64);
  EXPECT_EQ(check(local, {"--payload", "x=i64:many"}).outcome.code, 64);
  EXPECT_EQ(check(local, {"--payload", "x=@/no/such/file"}).outcome.code, 64);
  EXPECT_EQ(check(local, {"--sample", "/no/such/file"}).outcome.code, 64);
  EXPECT_EQ(check(local, {"--time-limit", "0"}).outcome.code, 64);
  EXPECT_EQ(Fr()({"plugin", "check"}).code, 64);
}

}  // namespace
