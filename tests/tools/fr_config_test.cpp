// `fr config` as people call it: its output, its exit codes, and the page that it generates.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace {

struct Outcome {
  int code = -1;
  std::string output;  // and errors
};

class FrConfig : public ::testing::Test {
 protected:
  FrConfig() {
    std::string name = ::testing::TempDir() + "/freshet-fr-config-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
    folder_ = name;
  }
  ~FrConfig() override { std::filesystem::remove_all(folder_); }

  // With no settings but those of `variables`.
  Outcome fr(const std::string& arguments, const std::string& variables = "") const {
    const char* program = std::getenv("FRESHET_TEST_FR");
    EXPECT_NE(program, nullptr);
    const std::string line = "env -u FRESHET_CONF_DIR XDG_CONFIG_HOME=" + folder_ + " " +
                             variables + " " + program + " 2>&1 " + arguments;
    Outcome outcome;
    std::FILE* pipe = ::popen(line.c_str(), "r");
    char chunk[4096];
    for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
      outcome.output.append(chunk, n);
    const int status = ::pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
};

bool has(const Outcome& outcome, const std::string& part) {
  return outcome.output.find(part) != std::string::npos;
}

TEST_F(FrConfig, ListsAllOptionsWithTypeDefaultScopeAndMeaning) {
  const Outcome listed = fr("config");
  EXPECT_EQ(listed.code, 0);
  for (const char* part :
       {"parallelism.default = 1  (default)\n    int, default 1, scope job: an integer of 32 bits, "
        "from 1 to 32768\n    Number of parallel subtasks",
        "execution.target is not set  (default)\n    string, default none, scope client",
        "plugin.dirs =   (default)\n    list of string, default empty"})
    EXPECT_TRUE(has(listed, part)) << part << "\n---\n" << listed.output;
}

TEST_F(FrConfig, ShowsEachValueAndWhereItCameFrom) {
  const std::string file = write("my.yaml", "pipeline:\n  name: from file\n");
  const Outcome shown =
      fr("config --config " + file + " -D parallelism.default=4 -Dlocal.threads=2",
         "FRESHET_LOG_LEVEL=debug");
  EXPECT_EQ(shown.code, 0);
  for (const std::string& part :
       {"pipeline.name = from file  (" + file + ":2)",
        std::string("parallelism.default = 4  (-D on the command line)"),
        std::string("local.threads = 2  (-D on the command line)"),
        std::string("log.level = debug  (environment variable FRESHET_LOG_LEVEL)")})
    EXPECT_TRUE(has(shown, part)) << part << "\n---\n" << shown.output;
}

TEST_F(FrConfig, ShowsOnlyTheKeysThatAreNamed) {
  const Outcome shown = fr("config -D plugin.dirs=/a,/b plugin log.level");
  EXPECT_EQ(shown.code, 0);
  EXPECT_TRUE(has(shown, "plugin.dirs = /a,/b  (-D")) << shown.output;
  EXPECT_TRUE(has(shown, "log.level = warning")) << shown.output;
  EXPECT_FALSE(has(shown, "parallelism.default =")) << shown.output;

  const Outcome refused = fr("config paralelism.default");
  EXPECT_EQ(refused.code, 65);
  EXPECT_EQ(refused.output,
            "fr: there is no option 'paralelism.default': did you mean 'parallelism.default'?\n");
}

TEST_F(FrConfig, ListsTheOptionsOfPlugins) {
  const std::string folder = std::getenv("FRESHET_TEST_PLUGIN_WITH_OPTIONS");
  const std::string key = "shared-folder.path";
  const Outcome without = fr("config " + key);
  EXPECT_EQ(without.code, 65) << without.output;
  const Outcome shown =
      fr("config --plugin-dir " + folder + " -D " + key + "=/mine shared-folder.path");
  EXPECT_EQ(shown.code, 0) << shown.output;
  EXPECT_TRUE(has(shown, key + " = /mine  (-D on the command line)\n")) << shown.output;
  EXPECT_TRUE(has(shown, "of the plugin high-availability service 'shared-folder'"))
      << shown.output;
  EXPECT_FALSE(has(shown, "warning")) << shown.output;
  const Outcome json = fr("config --json --plugin-dir " + folder + " " + key);
  ASSERT_EQ(json.code, 0) << json.output;
  EXPECT_EQ(nlohmann::json::parse(json.output).at(0).at("plugin"),
            "high-availability service 'shared-folder'");
  const Outcome page = fr("config --markdown --plugin-dir " + folder);
  EXPECT_TRUE(has(page, "### `" + key + "`\n")) << page.output;
  EXPECT_TRUE(has(page, "| plugin | high-availability service 'shared-folder' |\n")) << page.output;
}

TEST_F(FrConfig, HidesSecrets) {
  for (const char* form : {"", " --json"}) {
    const Outcome shown = fr(std::string("config -D user.db.password=hunter2") + form);
    EXPECT_EQ(shown.code, 0);
    EXPECT_TRUE(has(shown, "user.db.password")) << shown.output;
    EXPECT_TRUE(has(shown, "******")) << shown.output;
    EXPECT_FALSE(has(shown, "hunter2")) << shown.output;
  }
}

TEST_F(FrConfig, PrintsJson) {
  const Outcome shown = fr("config --json -D pipeline.name=\"$(printf 'a\\377\"b')\" pipeline");
  ASSERT_EQ(shown.code, 0);
  const auto rows = nlohmann::json::parse(shown.output);
  ASSERT_TRUE(rows.is_array());
  bool found = false;
  for (const auto& row : rows) {
    EXPECT_EQ(row.at("key").get<std::string>().rfind("pipeline.", 0), 0u);
    if (row.at("key") != "pipeline.name") continue;
    found = true;
    EXPECT_EQ(row.at("value"), "a\xef\xbf\xbd\"b");
    EXPECT_TRUE(row.at("default").is_null());
    EXPECT_EQ(row.at("scope"), "job");
    EXPECT_EQ(row.at("origin"), "-D on the command line");
  }
  EXPECT_TRUE(found);
}

TEST_F(FrConfig, KeepsAValueOnItsLine) {
  const Outcome shown = fr("config -D pipeline.name=\"$(printf 'a\\nb\\033[2J')\" pipeline.name");
  EXPECT_TRUE(has(shown, "pipeline.name = a\\nb?[2J  (-D on the command line)\n")) << shown.output;
}

TEST_F(FrConfig, SaysThatItsOutputCouldNotBeWritten) {
  for (const std::string words : {"config", "--help", "config --help", "--version"}) {
    const Outcome full = fr(words + " 2>&1 >/dev/full");
    EXPECT_EQ(full.code, 74) << words;
    EXPECT_TRUE(has(full, "fr: can't write the standard output: ")) << full.output;
  }
}

TEST_F(FrConfig, TakesNoEmptyValueForOneThatIsNotGiven) {
  const Outcome size = fr("cluster resize '' 2>&1");
  EXPECT_EQ(size.code, 64);
  EXPECT_TRUE(has(size, "task-managers: it is empty: give a value, or leave it out"))
      << size.output;
  for (const std::string key :
       {"application.working-folder", "jobmanager.host", "taskmanager.host"}) {
    const Outcome empty = fr("config -D " + key + "= " + key + " 2>&1");
    EXPECT_EQ(empty.code, 65) << key;
    EXPECT_TRUE(has(empty, "must be not empty") || has(empty, "not empty")) << empty.output;
  }
}

TEST_F(FrConfig, WarnsAndGoesOn) {
  const Outcome shown = fr("config -D paralelism.default=4 pipeline.fusion", "FRESHET_LOG_LEVL=x");
  EXPECT_EQ(shown.code, 0);
  EXPECT_TRUE(has(shown, "fr: warning: unknown option 'paralelism.default'")) << shown.output;
  EXPECT_TRUE(has(shown, "fr: warning: environment variable FRESHET_LOG_LEVL")) << shown.output;
}

// Not of 'fr config' alone, and also where a value is refused.
TEST_F(FrConfig, EveryCommandWarnsOnceOfWhatNobodyReads) {
  const std::string state = "XDG_STATE_HOME=" + folder_;
  const std::string file = write("typo.yaml", "paralelism.default: 3\n");
  const std::string in_definition = " -D paralelism.default=3", bad = " -D parallelism.default=x";
  const std::string warning = "fr: warning: unknown option 'paralelism.default'";
  for (const std::string& line :
       {"config pipeline.fusion" + in_definition, "config" + in_definition + bad,
        "info" + in_definition + " /nowhere.so", "info" + in_definition + bad + " /nowhere.so",
        "list" + in_definition, "status" + in_definition, "cluster list" + in_definition,
        "cluster list --config " + file, "cluster start --target=local" + in_definition,
        "cluster stop" + in_definition, "plugin list" + in_definition,
        "plugin check /nowhere.so" + in_definition, "jobmanager" + in_definition + bad,
        "taskmanager --cluster-id=none --config " + file + bad}) {
    const Outcome outcome = fr(line, state);
    const std::size_t at = outcome.output.find(warning);
    ASSERT_NE(at, std::string::npos) << line << "\n" << outcome.output;
    EXPECT_EQ(outcome.output.find(warning, at + 1), std::string::npos) << line << "\n"
                                                                       << outcome.output;
    EXPECT_TRUE(has(outcome, "did you mean 'parallelism.default'?")) << outcome.output;
  }
  const Outcome variable = fr("cluster list", state + " FRESHET_PARALELISM_DEFAULT=3");
  EXPECT_TRUE(has(variable, "environment variable FRESHET_PARALELISM_DEFAULT sets no option"))
      << variable.output;
}

TEST_F(FrConfig, AnOptionOfAPluginIsNotUnknown) {
  const std::string folder = std::getenv("FRESHET_TEST_PLUGIN_WITH_OPTIONS");
  const Outcome outcome = fr("cluster list -D shared-folder.path=/x --plugin-dir " + folder,
                             "XDG_STATE_HOME=" + folder_);
  EXPECT_FALSE(has(outcome, "warning")) << outcome.output;
}

TEST_F(FrConfig, NamesTheCommandThatWasMeant) {
  const std::pair<const char*, const char*> cases[] = {
      {"conifg", "there is no command 'conifg': did you mean 'config'? (fr --help)"},
      {"cluster statuss",
       "there is no command 'cluster statuss': did you mean 'cluster status'? (fr cluster --help)"},
      {"plugin lst",
       "there is no command 'plugin lst': did you mean 'plugin list'? (fr plugin --help)"},
      {"plugin conjure", "there is no command 'plugin conjure' (fr plugin --help)"}};
  for (const auto& [line, expected] : cases) {
    const Outcome outcome = fr(line);
    EXPECT_EQ(outcome.code, 64) << outcome.output;
    EXPECT_EQ(outcome.output, "fr: " + std::string(expected) + "\n");
  }
}

TEST_F(FrConfig, RefusesBadInputWithOneLine) {
  const std::string broken = write("broken.yaml", "a: [1\n");
  const std::string cases[] = {"-D parallelism.default=0", "-D parallelism.default",
                               "--config /no/such/file", "--config " + broken, "no.such.key"};
  for (const std::string& arguments : cases) {
    const Outcome refused = fr("config " + arguments);
    EXPECT_EQ(refused.code, 65) << arguments << "\n" << refused.output;
    EXPECT_EQ(refused.output.rfind("fr: ", 0), 0u) << refused.output;
    EXPECT_EQ(refused.output.find('\n'), refused.output.size() - 1) << refused.output;
  }
}

TEST_F(FrConfig, TellsBadUsageApart) {
  for (const char* arguments :
       {"", "nonsense", "config --nonsense", "config -D", "config --json --markdown"})
    EXPECT_EQ(fr(arguments).code, 64) << arguments;
  EXPECT_EQ(fr("--help").code, 0);
  EXPECT_EQ(fr("config --help").code, 0);
  EXPECT_EQ(fr("--version").code, 0);
}

TEST_F(FrConfig, GivesTheReferencePageThatIsCheckedIn) {
  const char* path = std::getenv("FRESHET_TEST_CONFIGURATION_PAGE");
  ASSERT_NE(path, nullptr);
  std::ifstream file(path);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(fr("config --markdown", "FRESHET_LOG_LEVEL=debug").output, page)
      << "options changed: fr config --markdown > docs/users/configuration.md";
}

}  // namespace
