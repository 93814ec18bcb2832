// fr-run as people meet it: exit codes (tools/fr-run/exit_code.h), one clear error each, and
// nothing half written.
#include "fr_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace freshet::testing;

bool has(const Outcome& outcome, const std::string& part) {
  return outcome.errors.find(part) != std::string::npos;
}

class FrRunTest : public ::testing::Test {
 protected:
  // The application of these tests.
  Outcome local(const std::vector<std::string>& arguments) const {
    return fr_run_.local(application_, arguments);
  }
  Outcome count(const std::string& input, const std::string& output) const {
    return fr_run_.local(word_count_, {"--input", input, "--output", output});
  }
  // What a terminal shows of it is its output.
  Outcome on_terminal(const std::vector<std::string>& arguments) const {
    std::string line;
    for (const std::string& word : fr_run_.line(arguments)) line += word + " ";
    return run({"/usr/bin/script", "-qec", line, "/dev/null"}, fr_run_.surroundings());
  }
  // Stops what `arguments` start once a part has grown, and expects it to be over within a second.
  Outcome interrupt(const std::vector<std::string>& arguments, int signal) const {
    std::vector<std::string> all{application_, "--target=local"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::filesystem::remove_all(output_);  // what an earlier one has left is no sign of this one
    ChildProcess child(fr_run_.line(all), fr_run_.surroundings());
    EXPECT_TRUE(eventually([&] { return !names_in(output_).empty() || !child.running(); }));
    child.send(signal);
    const double asked = now_seconds();
    const Outcome outcome = child.wait(20);
    EXPECT_LT(now_seconds() - asked, 3.0) << "a second, and two for a machine with much to do";
    return outcome;
  }

  ScratchFolder folder_;
  FrRun fr_run_;
  const std::string application_ = path_from("FRESHET_TEST_APPLICATION");
  const std::string word_count_ = path_from("FRESHET_TEST_WORD_COUNT");
  const std::string output_ = folder_ / "out";
};

// ---- the command line ---------------------------------------------------------------------------

TEST_F(FrRunTest, TellsBadUsageApart) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {application_, "-D"},
                                             {application_, "-D", "no-value", "--target=local"},
                                             {application_, "--target"},
                                             {"--no-such-option", application_}}) {
    const Outcome refused = fr_run_(arguments);
    EXPECT_EQ(refused.code, 64) << refused.text();
    EXPECT_EQ(refused.errors.rfind("fr-run: ", 0), 0U) << refused.text();
    EXPECT_EQ(lines_of(refused.errors).size(), 1U) << refused.text();
    EXPECT_EQ(refused.output, "");
  }
  EXPECT_EQ(fr_run_({"--help"}).code, 0);
  EXPECT_EQ(fr_run_({"--version"}).code, 0);
}

TEST_F(FrRunTest, AnEmptyValueIsBadUsage) {
  const std::vector<std::string> names{
      "--target", "--parallelism", "--config", "--plugin-dir",
      "--ship",   "--cluster-id",  "-D",       "--wait-for-cluster"};
  for (const std::string& name : names) {
    const Outcome next = fr_run_({application_, "--target=local", name, "", "no-job"});
    EXPECT_EQ(next.code, 64) << name << ": " << next.text();
    EXPECT_TRUE(has(next, name + ": it is empty")) << next.text();
    if (name == "-D") continue;
    const Outcome joined = fr_run_({application_, name + "=", "--target=local", "no-job"});
    EXPECT_EQ(joined.code, 64) << name << ": " << joined.text();
    EXPECT_TRUE(has(joined, name + ": it is empty")) << joined.text();
  }
  const Outcome application = fr_run_({"", "--target=local"});
  EXPECT_EQ(application.code, 64) << application.text();
  for (const char* key : {"cluster.id", "execution.target", "application.id", "pipeline.name"}) {
    const Outcome outcome = fr_run_({application_, "-D", std::string(key) + "=", "no-job"});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(has(outcome, "'" + std::string(key) + "'")) << outcome.text();
    EXPECT_TRUE(has(outcome, "not empty")) << outcome.text();
  }
  const Outcome of_main = local({"arguments", ""});
  EXPECT_EQ(of_main.code, 0) << of_main.text();
}

TEST_F(FrRunTest, GivesMainItsArguments) {
  const Outcome outcome = local({"arguments", "--target=moon", "-D", "a=b", "", "two words", "--"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "arguments\n--target=moon\n-D\na=b\n\ntwo words\n--\n");
  // What looks like an option of fr-run goes behind "--".
  EXPECT_EQ(local({"--", "arguments", "--help"}).output, "arguments\n--help\n");
}

TEST_F(FrRunTest, RunsHereIfNoTargetIsSetAndSaysSoOnATerminalAlone) {
  const Outcome silent = fr_run_({application_, "arguments", "x"});
  EXPECT_EQ(silent.code, 0) << silent.text();
  EXPECT_EQ(silent.output, "arguments\nx\n");
  EXPECT_EQ(silent.errors, "fr-run: main of " + application_ + " has run no job\n");
  const std::string said = "fr-run: no target is set: this runs here, as with --target=local";
  const Outcome terminal = on_terminal({application_, "code", "0"});
  EXPECT_EQ(terminal.code, 0) << terminal.text();
  EXPECT_NE(terminal.output.find(said), std::string::npos) << terminal.text();
  for (const char* given : {"--target=local", "-Dexecution.target=local"}) {
    const Outcome asked = on_terminal({application_, given, "code", "0"});
    EXPECT_EQ(asked.output.find("no target is set"), std::string::npos) << asked.text();
  }
  Surroundings around = fr_run_.surroundings();
  around.variables["FRESHET_EXECUTION_TARGET"] = "lcoal";
  const Outcome elsewhere = run(fr_run_.line({application_, "code", "0"}), around);
  EXPECT_EQ(elsewhere.code, 65) << elsewhere.text();
  EXPECT_TRUE(has(elsewhere, "no executor for target 'lcoal'")) << elsewhere.text();
}

TEST_F(FrRunTest, WarnsOfItsOwnOptionsAmongTheWordsOfMain) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"arguments", "--target=moon"},
       "'--target=moon' stands behind 'arguments', from where on all words are main's: give it "
       "before 'arguments'; '--' before main's words silences this"},
      {{"arguments", "-d"}, "'-d' stands behind 'arguments'"},
      {{"arguments", "-Da=b"}, "'-Da=b' stands behind 'arguments'"},
      {{"-p", "3"},
       "'-p' is main's: the parallelism is set by --parallelism N, before main's "
       "words; '--' before main's words silences this"},
      {{"arguments", "-p3"}, "'-p3' is main's"},
      {{"--taregt=local"},
       "'--taregt=local' is main's, as all behind it: did you mean '--target'?"}};
  for (const auto& [words, warning] : cases) {
    const Outcome warned = local(words);
    EXPECT_TRUE(has(warned, "fr-run: warning: " + warning)) << warned.text();
    std::vector<std::string> meant{"--"};
    meant.insert(meant.end(), words.begin(), words.end());
    const Outcome quiet = local(meant);
    EXPECT_FALSE(has(quiet, "warning:")) << quiet.text();
    EXPECT_EQ(quiet.output, warned.output) << "main gets them all the same";
  }
  for (const char* own : {"--input", "-path", "--help", "value"}) {
    const Outcome outcome = local({"arguments", own});
    EXPECT_FALSE(has(outcome, "warning:")) << outcome.text();
  }
}

TEST_F(FrRunTest, RefusesWhatOnlyClustersHave) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"-d", "-d (client.attached=false) can't be had with target 'local'"},
      {"--cluster-id=one", "--cluster-id (cluster.id) can't be had with target 'local'"},
      {"--wait-for-cluster=1 s", "--wait-for-cluster can't be had with target 'local'"}};
  for (const auto& [flag, expected] : cases) {
    const Outcome refused = local({flag, "code", "0"});
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_TRUE(has(refused, expected)) << refused.text();
    EXPECT_TRUE(has(refused, "--target=standalone")) << refused.text();
  }
  Surroundings around = fr_run_.surroundings();
  around.variables["FRESHET_CLIENT_ATTACHED"] = "false";
  const Outcome meant_for_others =
      run(fr_run_.line({application_, "--target=local", "code", "0"}), around);
  EXPECT_EQ(meant_for_others.code, 0) << meant_for_others.text();
}

TEST_F(FrRunTest, AUrlIsForClustersAndKeepsItsSecrets) {
  const std::string url = "https://me:word@host/app.so?token=secret";
  const std::string shown = "'https://***@host/app.so?***' is a URL, which only a cluster fetches";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {url},
           {url, "--target=local"},
           {application_, "--target=local", "--ship", url},
           {url, "--target=standalone-session", "-D", "execution.main=client"}}) {
    const Outcome refused = fr_run_(words);
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_TRUE(has(refused, shown)) << refused.text();
    EXPECT_FALSE(has(refused, "secret")) << refused.text();
  }
}

TEST_F(FrRunTest, WhereMainRunsIsNotIgnored) {
  const Outcome client =
      fr_run_({application_, "--target=standalone", "-D", "execution.main=client", "code", "0"});
  EXPECT_EQ(client.code, 65) << client.text();
  EXPECT_TRUE(has(client, "execution.main=client can't be had with target 'standalone'"))
      << client.text();
  EXPECT_TRUE(has(client, "--target=standalone-session")) << client.text();
  const Outcome cluster = local({"-D", "execution.main=cluster", "code", "0"});
  EXPECT_EQ(cluster.code, 65) << cluster.text();
  EXPECT_TRUE(has(cluster, "execution.main=cluster can't be had with target 'local'"))
      << cluster.text();
  EXPECT_EQ(local({"-D", "execution.main=client", "code", "0"}).code, 0);
}

TEST_F(FrRunTest, TheTargetOfAMainOnAClusterIsNeitherTakenNorOffered) {
  const Outcome taken = fr_run_({application_, "--target=cluster", "code", "0"});
  EXPECT_EQ(taken.code, 65) << taken.text();
  EXPECT_TRUE(has(taken,
                  "no target 'cluster' (execution.target from --target on the command "
                  "line) can be asked for"))
      << taken.text();
  EXPECT_TRUE(has(taken, "standalone-session")) << taken.text();
  const Outcome near = fr_run_({application_, "--target=clustr", "code", "0"});
  EXPECT_FALSE(has(near, "did you mean 'cluster'")) << near.text();
}

TEST_F(FrRunTest, NamesTheNearestTarget) {
  const Outcome refused = fr_run_({application_, "--target=lcoal"});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_TRUE(has(refused, "no executor for target 'lcoal'")) << refused.text();
  EXPECT_TRUE(has(refused, "did you mean 'local'?")) << refused.text();
  EXPECT_TRUE(has(refused, "looked in: ")) << refused.text();
}

// The executor of sessions says yes to every session: main would run, and its first job fail.
TEST_F(FrRunTest, ASessionWithoutItsDeployerIsRefusedBeforeMainRuns) {
  const std::vector<std::vector<std::string>> cases{
      {}, {"-d"}, {"--cluster-id=one"}, {"-D", "execution.main=client"}};
  for (const auto& flags : cases) {
    std::vector<std::string> words{application_, "--target=standalon-session"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"arguments", "main has run"});
    const Outcome refused = fr_run_(words);
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_TRUE(has(refused, "no deployer for target 'standalon-session'")) << refused.text();
    EXPECT_TRUE(has(refused, "did you mean 'standalone-session'?")) << refused.text();
    EXPECT_TRUE(has(refused, "looked in: ")) << refused.text();
    EXPECT_EQ(refused.output, "") << "main has run";
  }
  const Outcome far = fr_run_({application_, "--target=my-deployer-session", "arguments", "x"});
  EXPECT_EQ(far.code, 65) << far.text();
  EXPECT_TRUE(has(far, "choose 'standalone-session', or install its plugin")) << far.text();
}

TEST_F(FrRunTest, RefusesBadValuesWithTheirOriginAndWhatIsExpected) {
  const std::vector<std::vector<std::string>> cases{
      {"-Dparallelism.default=0", "bad value '0' for option 'parallelism.default'", "from 1 to"},
      {"--parallelism=0", "bad value '0' for option 'parallelism.default' (--parallelism",
       "from 1"},
      {"--parallelism=-3", "bad value '-3'", "from 1"},
      {"--parallelism=40000", "bad value '40000'", "32768"},
      {"--parallelism=many", "bad value 'many'", "an integer"},
      {"-Dexecution.runtime-mode=sometimes", "bad value 'sometimes'", "streaming"},
      {"--config=/no/such.yaml", "/no/such.yaml", ""}};
  for (const auto& each : cases) {
    const Outcome refused = fr_run_({application_, "--target=local", each[0], "code", "0"});
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_TRUE(has(refused, each[1]) && has(refused, each[2])) << refused.text();
    EXPECT_EQ(lines_of(refused.errors).size(), 1U) << refused.text();
  }
}

TEST_F(FrRunTest, WarnsOfAnUnknownOptionAndGoesOn) {
  const Outcome outcome =
      fr_run_({application_, "--target=local", "-Dparalelism.default=2", "code"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.errors,
            "fr-run: warning: unknown option 'paralelism.default' (-D on the command line): did "
            "you mean 'parallelism.default'?\n");
}

TEST_F(FrRunTest, WarnsOfAnUnknownOptionAlsoIfTheRunIsRefused) {
  const std::string warning =
      "fr-run: warning: unknown option 'paralelism.default' (-D on the command line): did you mean "
      "'parallelism.default'?\n";
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{folder_ / "missing.so"},
                                             {application_, "-Dparallelism.default=0"},
                                             {application_, "--target=moon"}}) {
    std::vector<std::string> all = arguments;
    all.insert(all.begin() + 1, "-Dparalelism.default=2");
    const Outcome refused = fr_run_(all);
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_EQ(refused.errors.rfind(warning, 0), 0U) << refused.text();
  }
}

// ---- what is no application ---------------------------------------------------------------------

TEST_F(FrRunTest, RefusesWhatIsNoApplication) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {folder_ / "missing.so", "does not exist"},
      {folder_.write("text.so", "hello"), "is not an ELF file"},
      {folder_.write("empty.so", ""), ""},
      {folder_.path(), ""},
      {"/bin/sh", ""},
      {path_from("FRESHET_TEST_LOCAL_EXECUTOR"), "is a plugin (executor 'local')"}};
  for (const auto& [file, expected] : cases) {
    const Outcome refused = fr_run_({file, "--target=local"});
    EXPECT_EQ(refused.code, 65) << refused.text();
    EXPECT_TRUE(has(refused, file) && has(refused, expected)) << refused.text();
    // What is no ELF file may be for a front end: those that there are, and where, follow.
    EXPECT_EQ(lines_of(refused.errors).size() > 1, has(refused, "no front end")) << refused.text();
  }
}

// ---- how main ends ------------------------------------------------------------------------------

TEST_F(FrRunTest, SaysThatMainRanNoJob) {
  const Outcome outcome = local({"no-job", "0"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.errors, "fr-run: main of " + application_ + " has run no job\n");
}

TEST_F(FrRunTest, PassesOnTheExitCodeOfMain) {
  for (const int code : {1, 3, 70, 255}) {
    for (const char* how : {"no-job", "code"}) {
      const Outcome outcome = local({how, std::to_string(code)});
      EXPECT_EQ(outcome.code, code) << outcome.text();
      EXPECT_EQ(outcome.errors, "");
    }
  }
}

TEST_F(FrRunTest, TellsOfAnExceptionThatLeftMain) {
  const Outcome outcome = local({"throw", "out of ideas"});
  EXPECT_EQ(outcome.code, 71);
  EXPECT_EQ(outcome.errors,
            "fr-run: an exception left the main of " + application_ + ": out of ideas\n");
  const Outcome number = local({"throw-number"});
  EXPECT_EQ(number.code, 71);
  EXPECT_EQ(lines_of(number.errors).size(), 1U) << number.text();
}

TEST_F(FrRunTest, WaitsForAJobThatMainDidNotWaitFor) {
  const Outcome outcome = local({"not-waited-for", output_});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(lines_of(text_of_file(output_ + "/part-0")).size(), 1'000U);
}

// ---- how jobs fail ------------------------------------------------------------------------------

TEST_F(FrRunTest, NamesJobOperatorSubtaskRecordAndMessageOfAFailure) {
  for (const char* how : {"fail", "fail-caught"}) {
    const Outcome outcome = local({how, "not seven"});
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_EQ(outcome.errors,
              "fr-run: job 'failing' failed: operator 'doubtful' (subtask 0) at record 7: not "
              "seven\n");
  }
}

TEST_F(FrRunTest, ReportsALongMessageInTwelveLinesUnlessVerbose) {
  std::string text = "line 0";
  for (int i = 1; i < 100; ++i) text += "\nline " + std::to_string(i);
  for (const char* how : {"fail", "throw"}) {
    const Outcome brief = local({how, text});
    EXPECT_LE(lines_of(brief.errors).size(), 12U) << brief.text();
    EXPECT_TRUE(has(brief, "line 0\n")) << brief.text();
    EXPECT_TRUE(has(brief, "lines more: fr-run -v")) << brief.text();
    const Outcome whole = fr_run_({application_, "-v", "--target=local", how, text});
    EXPECT_TRUE(has(whole, "line 99\n")) << whole.text();
  }
}

TEST_F(FrRunTest, KeepsControlBytesOfAMessageAwayFromTheTerminal) {
  const Outcome outcome = local({"fail", "a\033[2Jb\rc"});
  EXPECT_TRUE(has(outcome, "a?[2Jb?c\n")) << outcome.text();
}

TEST_F(FrRunTest, RefusesAParallelismAboveTheMaximum) {
  const Outcome outcome = local({"parallelism", "200"});
  EXPECT_NE(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(has(outcome,
                  "parallelism 200 of 'sequence' is above the maximum parallelism 128: "
                  "lower it or raise pipeline.max-parallelism"))
      << outcome.text();
  EXPECT_EQ(local({"parallelism", "0"}).code, 65);
  EXPECT_EQ(local({"parallelism", "8"}).code, 0);
}

// ---- input and output ---------------------------------------------------------------------------

TEST_F(FrRunTest, NamesAnInputThatIsMissing) {
  for (const std::string& input : {folder_ / "nowhere", folder_ / "*.txt"}) {
    const Outcome outcome = count(input, output_);
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_TRUE(has(outcome, "operator 'read_text'") && has(outcome, input)) << outcome.text();
    EXPECT_EQ(lines_of(outcome.errors).size(), 1U) << outcome.text();
    EXPECT_TRUE(names_in(output_).empty());
  }
}

TEST_F(FrRunTest, LeavesTheOutputOfAnEarlierJobAlone) {
  const std::string input = folder_.write("in", "a b");
  ASSERT_EQ(count(input, output_).code, 0);
  const std::string before = text_of_file(output_ + "/part-0");
  const Outcome again = count(folder_.write("in", "c"), output_);
  EXPECT_EQ(again.code, 70) << again.text();
  EXPECT_TRUE(has(again, "of another job: remove it or choose another folder")) << again.text();
  EXPECT_EQ(names_in(output_), std::vector<std::string>{"part-0"});
  EXPECT_EQ(text_of_file(output_ + "/part-0"), before);
}

TEST_F(FrRunTest, NamesAnOutputThatIsNoFolder) {
  const std::string file = folder_.write("file", "keep");
  for (const std::string& output : {file, file + "/below"}) {
    const Outcome outcome = count(folder_.write("in", "a"), output);
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_TRUE(has(outcome, "operator 'write_text'") && has(outcome, file)) << outcome.text();
    EXPECT_EQ(lines_of(outcome.errors).size(), 1U) << outcome.text();
  }
  EXPECT_EQ(text_of_file(file), "keep");
}

// As the user nobody, since root may read everything.
class FrRunAsNobody : public FrRunTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    ::chmod(folder_.path().c_str(), 0755);
    surroundings_.variables = {{"HOME", own_},
                               {"XDG_CONFIG_HOME", own_},
                               {"XDG_DATA_HOME", own_},
                               {"XDG_CACHE_HOME", own_}};
    surroundings_.user = kNobody;
    std::filesystem::create_directory(own_);
    ASSERT_EQ(::chown(own_.c_str(), kNobody, kNobody), 0);
    if (run(fr_run_.line({"--version"}), surroundings_).code != 0) {
      GTEST_SKIP() << "another user can't enter the build folder";
    }
  }
  Outcome count_as_nobody(const std::string& input, const std::string& output) const {
    return run(fr_run_.line({word_count_, "--target=local", "--input", input, "--output", output}),
               surroundings_);
  }
  static constexpr uid_t kNobody = 65534;
  const std::string own_ = folder_ / "own";
  Surroundings surroundings_;
};

TEST_F(FrRunAsNobody, NamesAnInputThatItMayNotRead) {
  folder_.write("locked/in", "a");
  ::chmod((folder_ / "locked").c_str(), 0700);
  const std::string file = folder_.write("open/file", "a");
  ::chmod(file.c_str(), 0600);
  for (const std::string& input :
       {folder_ / "locked", folder_ / "locked/in", folder_ / "locked/*", file, folder_ / "open"}) {
    const Outcome outcome = count_as_nobody(input, own_ + "/out");
    EXPECT_EQ(outcome.code, 70) << input << "\n" << outcome.text();
    EXPECT_TRUE(has(outcome, "Permission denied: give this user the right to read it"))
        << input << "\n"
        << outcome.text();
    EXPECT_EQ(lines_of(outcome.errors).size(), 1U) << outcome.text();
    EXPECT_TRUE(names_in(own_ + "/out").empty());
  }
}

TEST_F(FrRunAsNobody, NamesAnOutputThatItMayNotWrite) {
  const std::string input = folder_.write("in", "a");
  std::filesystem::create_directory(folder_ / "closed");
  for (const std::string& output : {folder_ / "closed", folder_ / "closed/deeper"}) {
    const Outcome outcome = count_as_nobody(input, output);
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_TRUE(has(outcome, "Permission denied: choose a place that this user can write to"))
        << outcome.text();
  }
  EXPECT_TRUE(names_in(folder_ / "closed").empty());
}

TEST_F(FrRunTest, LeavesNothingWhereThereIsNoSpace) {
  const std::string full = folder_ / "full";
  std::filesystem::create_directory(full);
  if (::mount("none", full.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "no small file system can be mounted here";
  }
  const Outcome outcome = local({"much", full + "/out"});
  const auto left = names_in(full + "/out");
  EXPECT_EQ(::umount(full.c_str()), 0);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(has(outcome, "No space left on device: free some space or choose another place"))
      << outcome.text();
  EXPECT_EQ(lines_of(outcome.errors).size(), 1U) << outcome.text();
  EXPECT_TRUE(left.empty()) << left.front();
}

TEST_F(FrRunTest, NamesAStandardOutputThatIsFull) {
  // By a shell, which gives it a full device.
  std::string line = "exec ";
  for (const std::string& word : fr_run_.line({word_count_, "--target=local"})) line += word + " ";
  const Outcome outcome = run({"/bin/sh", "-c", line + ">/dev/full"}, fr_run_.surroundings());
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(has(outcome, "can't write to the standard output: No space left on device"))
      << outcome.text();
}

TEST_F(FrRunTest, APluginThatIsSkippedIsToldApartFromTheOutput) {
  const ScratchFolder plugins;
  std::filesystem::copy_file(path_from("FRESHET_TEST_MODULES") + "/moody.so", plugins / "moody.so");
  std::ofstream(folder_ / "text") << "the cat";
  Surroundings around = fr_run_.surroundings();
  around.variables["FRESHET_TEST_MOOD"] = "throws a number";
  const Outcome outcome =
      run(fr_run_.line({word_count_, "--target=local", "--plugin-dir=" + plugins.path(),
                        "--parallelism", "1", "--input", folder_ / "text"}),
          around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(lines_of(outcome.output).size(), 2U) << outcome.text();
  EXPECT_TRUE(has(outcome, "executor plugin 'moody' (" + plugins.path() +
                               "/moody.so) is skipped: its is_compatible_with() threw"))
      << outcome.text();
}

// ---- progress, and its end ----------------------------------------------------------------------

TEST_F(FrRunTest, ShowsProgressOnATerminalAlone) {
  const Outcome terminal = on_terminal(
      {application_, "--target=local", "-Dclient.progress-interval=20ms", "much", output_});
  EXPECT_EQ(terminal.code, 0) << terminal.text();
  for (const char* part : {"much: running, ", " records in, ", " out, ", "/s, ", " s"}) {
    EXPECT_NE(terminal.output.find(part), std::string::npos) << part << "\n" << terminal.text();
  }
  std::filesystem::remove_all(output_);
  const Outcome elsewhere = local({"much", output_});
  EXPECT_EQ(elsewhere.output + elsewhere.errors, "");
}

TEST_F(FrRunTest, EndsAndSaysSoIfAnOperatorCallsExit) {
  const Outcome outcome = local({"exits-in-a-task"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(has(outcome, "leaver")) << outcome.text();
  EXPECT_TRUE(
      has(outcome,
          "' of a job called exit(), which ends its process: throw an exception to fail the "
          "job\n"))
      << outcome.text();
}

TEST_F(FrRunTest, IsCanceledByCtrlCWithinASecondAndLeavesNothing) {
  for (const char* how : {"endless", "idle", "blocked"}) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      const Outcome outcome = interrupt({how, output_}, signal);
      EXPECT_EQ(outcome.code, 130) << how << ": " << outcome.text();
      EXPECT_EQ(outcome.errors, "fr-run: canceling job '" + std::string(how) +
                                    "' (once more to leave at once)\nfr-run: canceled\n");
      EXPECT_TRUE(names_in(output_).empty()) << how << ": " << names_in(output_).front();
    }
  }
}

TEST_F(FrRunTest, IsCanceledByCtrlCWhileNobodyReadsItsOutput) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  std::string line = "exec ";
  for (const std::string& word : fr_run_.line({application_, "--target=local", "printing"})) {
    line += word + " ";
  }
  ChildProcess child({"/bin/sh", "-c", line + ">" + pipe}, fr_run_.surroundings());
  // As much as the pipe takes: nothing more has come for a while.
  auto is_full = [reader, before = 0, unchanged = 0]() mutable {
    int bytes = 0;
    if (::ioctl(reader, FIONREAD, &bytes) != 0) return false;
    unchanged = bytes == before && bytes > 0 ? unchanged + 1 : 0;
    before = bytes;
    return unchanged == 50;
  };
  EXPECT_TRUE(eventually(is_full));
  child.send(SIGINT);
  const double asked = now_seconds();
  const Outcome outcome = child.wait(20);
  EXPECT_LT(now_seconds() - asked, 3.0);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  ::close(reader);
}

TEST_F(FrRunTest, LeavesAtOnceWhenNoJobRuns) {
  ChildProcess child(fr_run_.line({application_, "--target=local", "wait"}),
                     fr_run_.surroundings());
  // Blocked in main: its threads are there once it has said so; a signal before that counts too.
  ASSERT_TRUE(eventually([&] { return child.running(); }));
  child.send(SIGINT);
  const Outcome outcome = child.wait(20);
  EXPECT_TRUE(outcome.code == 130 || outcome.signal == SIGINT) << outcome.text();
}

}  // namespace
