#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "configuration/configuration.h"
#include "configuration/reference_page.h"
#include "freshet/options.h"

namespace freshet::core {
namespace {

using Keys = std::map<std::string, std::string>;
using Lines = std::vector<std::string>;

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "/freshet-configuration-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string yaml_refusal(const std::string& text) {
  return refusal([&] { parse_yaml(text, "freshet.yaml"); });
}

Keys texts(const Configuration& configuration) {
  Keys found;
  for (const auto& [key, entry] : configuration.to_entries()) found[key] = entry.text;
  return found;
}

TEST(YamlFile, FlattensNestedMapsToDottedKeysWithTheirLines) {
  const Configuration configuration = parse_yaml(
      "# what we run\n"
      "parallelism.default: 4\n"
      "pipeline:\n"
      "  name: \"word count\"\n"
      "  fusion: false\n"
      "execution: {buffer-timeout: 5 ms, runtime-mode: batch}\n"
      "plugin.dirs:\n"
      "  - /opt/a\n"
      "  - /opt/b,c\n"
      "user:\n"
      "  deep:\n"
      "    empty: ''\n",
      "freshet.yaml");
  EXPECT_EQ(texts(configuration), (Keys{{"parallelism.default", "4"},
                                        {"pipeline.name", "word count"},
                                        {"pipeline.fusion", "false"},
                                        {"execution.buffer-timeout", "5 ms"},
                                        {"execution.runtime-mode", "batch"},
                                        {"plugin.dirs", "/opt/a,'/opt/b,c'"},
                                        {"user.deep.empty", ""}}));
  EXPECT_EQ(configuration.origin(options::kPipelineFusion).text(), "freshet.yaml:5");
  EXPECT_EQ(configuration.origin(options::kPluginDirs).text(), "freshet.yaml:7");
  EXPECT_EQ(configuration.get(options::kPluginDirs), (Lines{"/opt/a", "/opt/b,c"}));
  EXPECT_NO_THROW(configuration.validate());
}

TEST(YamlFile, KeepsTextOfSeveralLinesAsItStands) {
  EXPECT_EQ(texts(parse_yaml("a: |\n  x\n  # y\n", "f")), (Keys{{"a", "x\n# y\n"}}));
  EXPECT_EQ(texts(parse_yaml("a: >-\n  x\n  y", "f")), (Keys{{"a", "x y"}}));
  EXPECT_EQ(texts(parse_yaml("a: x # y", "f")), (Keys{{"a", "x"}}));
}

TEST(YamlFile, MayBeEmpty) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "{}"})
    EXPECT_TRUE(parse_yaml(text, "freshet.yaml").to_entries().empty()) << text;
}

TEST(YamlFile, NamesFileAndLineOfWhatIsNoYaml) {
  for (const char* text :
       {"a: 1\nb: [1, 2\n", "a: 1\n\tb: 2\n", "a: 'x\n", "a: 'x\nb: 2\n", "a: \"x\nb: 2\n", "a: 'x",
        "a: 1\n b: 2\n", "a: &x\nb: *y\n", "a: @\n", "]"}) {
    const std::string refused = yaml_refusal(text);
    EXPECT_EQ(refused.rfind("freshet.yaml:", 0), 0u) << text << " -> " << refused;
  }
  EXPECT_EQ(yaml_refusal("a: 1\nb: 2\nc: 'x' y\n").rfind("freshet.yaml:3: not valid YAML: ", 0), 0u)
      << yaml_refusal("a: 1\nb: 2\nc: 'x' y\n");
}

TEST(YamlFile, RefusesWhatASettingCannotBe) {
  const std::string mend = "; expected lines of 'key: value'";
  EXPECT_EQ(
      yaml_refusal("a: 1\nb:\n"),
      "freshet.yaml:2: 'b' has no value: give it one, '' for empty text, or remove it" + mend);
  EXPECT_EQ(yaml_refusal("a:\n  b: 1\na.b: 2\n"),
            "freshet.yaml:3: 'a.b' is set a second time, after freshet.yaml:2" + mend);
  EXPECT_EQ(yaml_refusal("- a\n- b\n"), "freshet.yaml:1: the file is no map of settings" + mend);
  EXPECT_EQ(yaml_refusal("just words\n"), "freshet.yaml:1: the file is no map of settings" + mend);
  EXPECT_EQ(yaml_refusal("a:\n  - x: 1\n"),
            "freshet.yaml:2: the list 'a' holds more than plain values" + mend);
  EXPECT_EQ(yaml_refusal("? [a, b]\n: 1\n"),
            "freshet.yaml:1: a key under '' that is not a word" + mend);
  EXPECT_EQ(yaml_refusal("a: 1\n---\nb: 2\n").rfind("freshet.yaml:3: a second YAML document", 0),
            0u)
      << yaml_refusal("a: 1\n---\nb: 2\n");
}

TEST(YamlFile, RefusesAliasesThatGrowWithoutBound) {
  std::string bomb = "a0: &a0 {x: 1, y: 2}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb.append(name).append(": &").append(name).append(" {x: ").append(before);
    bomb.append(", y: ").append(before).append("}\n");
  }
  EXPECT_NE(yaml_refusal(bomb).find("more than 100000 settings"), std::string::npos);
  EXPECT_NE(yaml_refusal("a: &a\n  b: *a\n").find("freshet.yaml:"), std::string::npos);
}

TEST(YamlFile, RefusesNestingWithoutBound) {
  std::string deep;
  for (std::size_t i = 0; i < 40; ++i) deep.append(i, ' ').append("a:\n");
  deep.append(40, ' ').append("b: 1\n");
  EXPECT_NE(yaml_refusal(deep).find("nested deeper than 32 levels"), std::string::npos);
  EXPECT_EQ(yaml_refusal(std::string(100'000, '[')).rfind("freshet.yaml:", 0), 0u);
  EXPECT_EQ(yaml_refusal(std::string(100'000, '{')).rfind("freshet.yaml:", 0), 0u);
}

TEST(YamlFile, RefusesOrReadsAnyBytes) {
  std::mt19937 random(3);
  const std::string good =
      "parallelism.default: 4\npipeline: {name: \"w\", fusion: false}\nlist:\n  - 'a'\n  - &x b\n"
      "other: [*x, >-\n  folded\n]\n? q\n: !!str 5\n";
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (int change = 0; change < 1 + i % 4; ++change)
      text[random() % text.size()] =
          random() % 4 == 0 ? static_cast<char>(random()) : "\n:'-{[&*#"[random() % 9];
    try {
      for (const auto& [key, entry] : parse_yaml(text, "f").to_entries()) EXPECT_FALSE(key.empty());
    } catch (const BadConfigurationFile& error) {
      EXPECT_EQ(std::string(error.what()).rfind("f:", 0), 0u) << error.what();
    }
  }
}

TEST(YamlFile, SaysWhyAFileCannotBeRead) {
  const Folder folder;
  EXPECT_EQ(refusal([&] { read_yaml_file(folder.path() + "/none.yaml"); }),
            "configuration file '" + folder.path() +
                "/none.yaml' can't be read: No such file or directory");
  EXPECT_EQ(refusal([&] { read_yaml_file(folder.path()); }),
            "configuration file '" + folder.path() + "' can't be read: Is a directory");
  EXPECT_NE(refusal([] { read_yaml_file("/dev/zero"); }).find("is larger than 4 mb"),
            std::string::npos);
  if (::geteuid() != 0) {  // root reads everything
    const std::string file = folder.write("locked.yaml", "a: 1\n");
    ::chmod(file.c_str(), 0);
    EXPECT_EQ(refusal([&] { read_yaml_file(file); }),
              "configuration file '" + file + "' can't be read: Permission denied");
  }
}

TEST(Environment, SetsDeclaredOptionsByTheirNameInCapitals) {
  EXPECT_EQ(environment_variable("pipeline.max-parallelism"), "FRESHET_PIPELINE_MAX_PARALLELISM");
  const Configuration configuration =
      environment_settings({{"FRESHET_PIPELINE_MAX_PARALLELISM", "64"},
                            {"FRESHET_PIPELINE_OPERATOR_CHAINING_ENABLED", "false"},
                            {"FRESHET_NO_SUCH_THING", "1"},
                            {"PATH", "/bin"}});
  EXPECT_EQ(texts(configuration), (Keys{{"pipeline.max-parallelism", "64"},
                                        {"pipeline.operator-chaining.enabled", "false"}}));
  EXPECT_EQ(configuration.origin(options::kPipelineMaxParallelism).text(),
            "environment variable FRESHET_PIPELINE_MAX_PARALLELISM");
  EXPECT_FALSE(configuration.get(options::kPipelineOperatorChaining));
}

TEST(Environment, HasANameOfItsOwnForEveryOption) {
  std::map<std::string, std::string> owner;
  for (const OptionInfo& option : OptionCatalog::all()) {
    const auto [it, added] = owner.emplace(environment_variable(option.key), option.key);
    EXPECT_TRUE(added) << option.key << " and " << it->second;
  }
  EXPECT_EQ(owner.count("FRESHET_CONF_DIR"), 0u);
  EXPECT_EQ(owner.count("FRESHET_PLUGIN_PATH"), 0u);
}

TEST(Environment, WarnsOfVariablesThatSetNothing) {
  EXPECT_EQ(environment_warnings({{"FRESHET_PARALELISM_DEFAULT", "4"},
                                  {"FRESHET_SOMETHING_ELSE_ALTOGETHER", "4"},
                                  {"FRESHET_PARALLELISM_DEFAULT", "4"},
                                  {"FRESHET_CONF_DIR", "/x"},
                                  {"FRESHET_USER_COLOR", "red"},
                                  {"HOME", "/"}}),
            (Lines{"environment variable FRESHET_PARALELISM_DEFAULT sets no option: did you mean "
                   "FRESHET_PARALLELISM_DEFAULT?",
                   "environment variable FRESHET_SOMETHING_ELSE_ALTOGETHER sets no option: 'fr "
                   "config' lists all"}));
}

TEST(Environment, OfThisProcessIsReadWhole) {
  ::setenv("FRESHET_USER_TEST", "a=b=c", 1);
  EXPECT_EQ(process_environment()["FRESHET_USER_TEST"], "a=b=c");
  ::unsetenv("FRESHET_USER_TEST");
}

TEST(LoadConfiguration, LetsFlagsWinOverTheEnvironmentAndThatOverTheFile) {
  const Folder folder;
  ConfigurationSources sources;
  sources.file =
      folder.write("my.yaml", "parallelism.default: 2\npipeline:\n  name: file\n  fusion: false\n");
  sources.environment = {{"FRESHET_PARALLELISM_DEFAULT", "3"}, {"FRESHET_PIPELINE_NAME", "env"}};
  sources.flags = {parse_definition("parallelism.default=4"),
                   {"parallelism.default", "5", "--parallelism"}};
  Configuration configuration = load_configuration(sources);
  EXPECT_EQ(configuration.get(options::kParallelismDefault), 5);
  EXPECT_EQ(configuration.origin(options::kParallelismDefault).text(),
            "--parallelism on the command line");
  EXPECT_EQ(configuration.get(options::kPipelineName), "env");
  EXPECT_EQ(configuration.origin(options::kPipelineFusion).text(), sources.file + ":4");
  configuration.set(options::kParallelismDefault, 6);
  EXPECT_EQ(configuration.get(options::kParallelismDefault), 6);
}

TEST(LoadConfiguration, RefusesABadValueOfEachSource) {
  const Folder folder;
  ConfigurationSources file, variable, flag;
  file.environment = {{"FRESHET_CONF_DIR", folder.path()}};
  folder.write("freshet.yaml", "\n\ntask:\n  stack-size: 1 xb\n");
  variable.file = flag.file = folder.write("empty.yaml", "");
  variable.environment = {{"FRESHET_TASK_STACK_SIZE", "2 kb"}};
  flag.flags = {parse_definition("task.stack-size=")};
  const std::string expected =
      "): expected a memory size (b, kb, mb, gb, tb) such as '32 kb', from 64 kb to 1 gb";
  EXPECT_EQ(refusal([&] { load_configuration(file); }),
            "bad value '1 xb' for option 'task.stack-size' (" + folder.path() + "/freshet.yaml:4" +
                expected);
  EXPECT_EQ(refusal([&] { load_configuration(variable); }),
            "bad value '2 kb' for option 'task.stack-size' (environment variable "
            "FRESHET_TASK_STACK_SIZE" +
                expected);
  EXPECT_EQ(refusal([&] { load_configuration(flag); }),
            "bad value '' for option 'task.stack-size' (-D on the command line" + expected);
}

TEST(LoadConfiguration, ReadsTheFirstFileThatExistsAndNoOther) {
  const Folder folder;
  ConfigurationSources sources;
  sources.environment = {{"HOME", folder.path()}, {"XDG_CONFIG_HOME", "relative/is/ignored"}};
  EXPECT_EQ(configuration_file_places(sources.environment).front(),
            folder.path() + "/.config/freshet/freshet.yaml");
  folder.write(".config/freshet/freshet.yaml", "parallelism.default: 7\npipeline.name: home\n");
  EXPECT_EQ(load_configuration(sources).get(options::kParallelismDefault), 7);

  sources.environment["XDG_CONFIG_HOME"] = folder.path() + "/xdg";
  folder.write("xdg/freshet/freshet.yaml", "parallelism.default: 8\n");
  EXPECT_EQ(load_configuration(sources).get(options::kParallelismDefault), 8);
  EXPECT_FALSE(load_configuration(sources).contains(options::kPipelineName));

  sources.environment["FRESHET_CONF_DIR"] = folder.path() + "/named";
  EXPECT_EQ(refusal([&] { load_configuration(sources); }),
            "FRESHET_CONF_DIR is '" + folder.path() + "/named', but there is no '" + folder.path() +
                "/named/freshet.yaml': put one there or unset the variable");
  folder.write("named/freshet.yaml", "parallelism.default: 9\n");
  EXPECT_EQ(load_configuration(sources).get(options::kParallelismDefault), 9);

  sources.file = folder.path() + "/missing.yaml";
  EXPECT_THROW(load_configuration(sources), BadConfigurationFile);
  sources.file = folder.write("given.yaml", "parallelism.default: 10\n");
  EXPECT_EQ(load_configuration(sources).get(options::kParallelismDefault), 10);
}

TEST(LoadConfiguration, AdoptsTheOptionsOfAModuleThatIsLoadedLater) {
  const Environment environment{{"FRESHET_USER_COLOR", "red"}, {"FRESHET_USER_SIZE", "3"}};
  ConfigurationSources sources;
  sources.environment = environment;
  sources.flags = {parse_definition("user.size=4")};
  Configuration configuration = load_configuration(sources);

  const ConfigOption<std::string> color{"user.color", "blue", "A color.", Scope::kJob};
  const ConfigOption<std::int32_t> size{"user.size", 1, "A size.", Scope::kJob};
  EXPECT_EQ(configuration.get(color), "blue");
  adopt_new_options(configuration, environment);
  EXPECT_EQ(configuration.get(color), "red");
  EXPECT_EQ(configuration.get(size), 4) << "the command line is stronger, though it came first";
}

TEST(LoadConfiguration, JudgesWhatWasSetForAModuleBeforeItWasLoaded) {
  ConfigurationSources sources;
  sources.flags = {parse_definition("user.size=big")};
  Configuration configuration = load_configuration(sources);
  const ConfigOption<std::int32_t> size{"user.size", 1, "A size.", Scope::kJob};
  EXPECT_THROW(adopt_new_options(configuration, {}), BadValue);
}

TEST(LoadConfiguration, WarnsOfKeysAndVariables) {
  Configuration configuration;
  configuration.set_raw("log.levl", "info", Origin::command_line("-D"));
  EXPECT_EQ(configuration_warnings(configuration, {{"FRESHET_LOG_LEVL", "info"}}),
            (Lines{"unknown option 'log.levl' (-D on the command line): did you mean 'log.level'?",
                   "environment variable FRESHET_LOG_LEVL sets no option: did you mean "
                   "FRESHET_LOG_LEVEL?"}));
}

TEST(ParseDefinition, TakesTheFirstEqualsSign) {
  EXPECT_EQ(parse_definition("a=b=c").key, "a");
  EXPECT_EQ(parse_definition("a=b=c").text, "b=c");
  EXPECT_EQ(parse_definition("a=").text, "");
  for (const char* text : {"", "a", "=b"}) EXPECT_THROW(parse_definition(text), InvalidInput);
  EXPECT_EQ(refusal([] { parse_definition("parallelism 4"); }),
            "-D 'parallelism 4' is no setting: write -D key=value");
}

TEST(ReferencePage, TellsEverythingOfAnOption) {
  const auto option = ConfigOption<std::int32_t>{"test.page", 3, "What it is for.", Scope::kCluster}
                          .minimum(1)
                          .deprecated_keys({"test.old-page"});
  const std::string page = configuration_reference_page({option.info()});
  for (const char* part :
       {"### `test.page`", "What it is for.", "| type | int |",
        "| value | an integer of 32 bits, at least 1 |", "| default | `3` |", "| scope | cluster |",
        "| environment | `FRESHET_TEST_PAGE` |", "| deprecated key | `test.old-page` |"})
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
}

// They are handed to processes that work in other folders.
TEST(LoadedConfiguration, HasAbsoluteFoldersOfPlugins) {
  const Folder home;
  ConfigurationSources sources;
  sources.environment = {{"XDG_CONFIG_HOME", home.path()}};
  sources.flags = {{"plugin.dirs", "build,/opt/a", "--plugin-dir"}};
  const Configuration configuration = load_configuration(sources);
  EXPECT_EQ(configuration.get(options::kPluginDirs),
            (Lines{std::filesystem::current_path() / "build", "/opt/a"}));
  EXPECT_EQ(configuration.origin(options::kPluginDirs).text(), "--plugin-dir on the command line");
}

}  // namespace
}  // namespace freshet::core
