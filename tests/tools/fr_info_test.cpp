// `fr info` as people call it, with a main that does all that a main may do.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace {

struct Outcome {
  int code = -1;
  std::string output;
};

bool has(const Outcome& outcome, const std::string& part) {
  return outcome.output.find(part) != std::string::npos;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class FrInfo : public ::testing::Test {
 protected:
  FrInfo() {
    std::string name = ::testing::TempDir() + "/freshet-fr-info-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
    folder_ = name;
  }
  ~FrInfo() override { std::system(("rm -rf " + folder_).c_str()); }

  // `redirect` says what becomes of stderr.
  Outcome fr_info(const std::string& arguments, const std::string& redirect = "2>/dev/null") const {
    const std::string line = "env -u FRESHET_CONF_DIR XDG_CONFIG_HOME=" + folder_ +
                             " XDG_CACHE_HOME=" + folder_ + " " + variable("FRESHET_TEST_FR") +
                             " info " + arguments + " " + redirect;
    Outcome outcome;
    std::FILE* pipe = ::popen(line.c_str(), "r");
    char chunk[4096];
    for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;) {
      outcome.output.append(chunk, n);
    }
    const int status = ::pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }
  Outcome errors_of(const std::string& arguments) const {
    return fr_info(arguments, "2>&1 >/dev/null");
  }

  const std::string application_ = variable("FRESHET_TEST_APPLICATION");
  std::string folder_;
};

TEST_F(FrInfo, ShowsThePlanUpToTheFirstResultThatMainWaitsFor) {
  const Outcome info = fr_info(application_);
  EXPECT_EQ(info.code, 0);
  EXPECT_EQ(info.output,
            "job 'first': batch, 2 operators in 1 task, 1 subtask\n"
            "  task 0, parallelism 1\n"
            "    fused kernel of 2 operators\n"
            "      0 source 'numbers'\n"
            "      1 sink 'print'\n");
  EXPECT_EQ(errors_of(application_).output, "main was here\n");
}

TEST_F(FrInfo, NamesAnOptionOrCommandThatThereIsNot) {
  const Outcome option = errors_of("--format=dot " + application_);
  EXPECT_EQ(option.code, 64);
  EXPECT_TRUE(has(option, "fr: there is no option '--format=dot'")) << option.output;
}

TEST_F(FrInfo, GivesSettingsToMainAsEveryToolDoes) {
  const Outcome info = fr_info("--parallelism 3 -D pipeline.fusion=false " + application_);
  EXPECT_TRUE(has(info, "task 0, parallelism 3\n    0 source 'numbers'\n    1 sink 'print'"))
      << info.output;
  const Outcome bad = errors_of("-D pipeline.fusion=maybe " + application_);
  EXPECT_EQ(bad.code, 65);
  EXPECT_TRUE(has(bad, "pipeline.fusion")) << bad.output;
}

TEST_F(FrInfo, ShowsAllJobsSubmittedBefore) {
  const Outcome info = fr_info(application_ + " two");
  EXPECT_TRUE(has(info, "job 'first'"));
  EXPECT_TRUE(has(info, "job 'second'"));
  EXPECT_FALSE(has(info, "job 'third'"));
}

TEST_F(FrInfo, EndsMainWhenAnotherOfItsThreadsWaits) {
  const Outcome info = fr_info(application_ + " thread");
  EXPECT_EQ(info.code, 0);
  EXPECT_TRUE(has(info, "job 'first'"));
  EXPECT_FALSE(has(info, "job 'second'"));
}

TEST_F(FrInfo, GoesOnWhereAResultIsAskedForButNotWaitedFor) {
  EXPECT_TRUE(has(fr_info(application_ + " listener"), "job 'second'"));
}

TEST_F(FrInfo, GivesMainItsArgumentsAlsoThoseThatLookLikeFlags) {
  const Outcome info = fr_info(application_ + " --json -- arguments --json 'a b' -- -v");
  const auto plans = nlohmann::json::parse(info.output);
  ASSERT_EQ(plans.size(), 4u) << info.output;
  EXPECT_EQ(plans[0]["name"], "--json");
  EXPECT_EQ(plans[1]["name"], "a b");
  EXPECT_EQ(plans[2]["name"], "--");
  EXPECT_EQ(plans[3]["name"], "-v");
  EXPECT_EQ(plans[0]["tasks"][0]["links"][0]["fused"], true);
  EXPECT_EQ(plans[0]["modules"][0]["name"], "info_application.so");
}

TEST_F(FrInfo, TakesItsOptionsInFrontOfAndBehindTheApplication) {
  EXPECT_EQ(fr_info("--json " + application_).output.substr(0, 3), "[{\n");
  EXPECT_EQ(fr_info(application_ + " --json").output.substr(0, 3), "[{\n");
  EXPECT_TRUE(has(fr_info(application_ + " --parallelism 3 two --json"), "task 0, parallelism 3"));
  EXPECT_EQ(fr_info(application_ + " --parallelism").code, 64);
}

TEST_F(FrInfo, WritesDotAndDetails) {
  EXPECT_EQ(fr_info("--dot " + application_).output.rfind("digraph \"first\" {\n", 0), 0u);
  EXPECT_TRUE(has(fr_info("-v " + application_), "NeverMade"));
  EXPECT_EQ(fr_info("--dot --json " + application_).code, 64);
}

TEST_F(FrInfo, GivesTheSameIdsInEveryRunOfAnApplicationWithAFixedId) {
  const std::string arguments = "--json -D application.id=nightly " + application_;
  EXPECT_EQ(fr_info(arguments).output, fr_info(arguments).output);
}

TEST_F(FrInfo, SaysThatMainRunsNoJob) {
  const Outcome info = errors_of(application_ + " none");
  EXPECT_EQ(info.code, 0);
  EXPECT_TRUE(has(info, "main of " + application_ + " has run no job")) << info.output;
  EXPECT_EQ(fr_info("--json " + application_ + " none").output, "[]\n");
  EXPECT_TRUE(has(errors_of(application_ + " code"), "main of " + application_ + " returned 3"));
}

TEST_F(FrInfo, SaysHowMainEndedOtherwise) {
  for (const auto& [what, said] :
       {std::pair("exit", "ended with exit code 4 before"),
        std::pair("crash", "ended with signal SIGABRT before"),
        std::pair("throw", "an exception left the main of "), std::pair("throw", ": no coffee")}) {
    const Outcome info = errors_of(application_ + " " + what);
    EXPECT_EQ(info.code, 65) << what;
    EXPECT_TRUE(has(info, said)) << info.output;
  }
}

TEST_F(FrInfo, SaysWhyAPlanCantBe) {
  const Outcome info = errors_of(application_ + " refused");
  EXPECT_EQ(info.code, 65);
  EXPECT_TRUE(
      has(info,
          "fr: parallelism 1000 of 'numbers' is above the maximum parallelism 128: lower it "
          "or raise pipeline.max-parallelism\n"))
      << info.output;
}

TEST_F(FrInfo, SaysWhereFieldsHaveOtherNames) {
  const Outcome swapped = errors_of(application_ + " swapped");
  EXPECT_EQ(swapped.code, 65);
  EXPECT_TRUE(has(swapped,
                  "fr: 'info.people' sends records {name:string,city:string}, the job reads "
                  "{city:string,name:string}: fields are matched by their place, and these names "
                  "stand in another order"))
      << swapped.output;
  const Outcome renamed = fr_info(application_ + " renamed");
  EXPECT_EQ(renamed.code, 0);
  EXPECT_TRUE(
      has(renamed,
          "\n  warning: 'info.people' sends records {name:string,city:string}, the job reads "
          "{customer:string,town:string}: fields are matched by their place, and these have "
          "other names"))
      << renamed.output;
  const auto plan = nlohmann::json::parse(fr_info("--json " + application_ + " renamed").output);
  EXPECT_EQ(plan[0]["warnings"].size(), 1u);
  EXPECT_EQ(plan[0]["vertices"][0]["outputs"][0]["fields"], "{customer:string,town:string}");
  EXPECT_TRUE(
      has(fr_info("-v " + application_ + " renamed"), "records {customer:string,town:string}\n"));
}

TEST_F(FrInfo, AUrlIsForClustersAndKeepsItsSecrets) {
  const Outcome refused = errors_of("https://me:word@host/app.so?token=secret");
  EXPECT_EQ(refused.code, 65) << refused.output;
  EXPECT_TRUE(has(refused,
                  "fr: 'https://***@host/app.so?***' is a URL, which only a cluster "
                  "fetches"))
      << refused.output;
}

TEST_F(FrInfo, RefusesWhatIsNoApplication) {
  const Outcome text = errors_of("/etc/passwd");
  EXPECT_EQ(text.code, 65);
  EXPECT_TRUE(has(text, "fr: '/etc/passwd' is no application")) << text.output;
  EXPECT_EQ(errors_of(folder_ + "/none.so").code, 65);
  EXPECT_EQ(errors_of("").code, 64);
  EXPECT_EQ(errors_of("--plan-to 7:1x " + application_).code, 65);
}

}  // namespace
