#include "freshet/configuration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "freshet/options.h"
#include "freshet/plugin/nearest_name.h"

namespace freshet {
namespace {

using StringMap = std::map<std::string, std::string>;

const ConfigOption<StringMap> kLabels{"test.labels", StringMap{}, "Labels.", Scope::kJob};
const ConfigOption<std::string> kPhrase =
    ConfigOption<std::string>{"test.phrase", std::nullopt, "A phrase.", Scope::kCluster}.secret();
const ConfigOption<double> kShare = ConfigOption<double>{"test.share", 0.5, "A share.", Scope::kJob}
                                        .deprecated_keys({"test.part", "test.portion"})
                                        .minimum(0)
                                        .maximum(1);
const ConfigOption<std::string> kColor =
    ConfigOption<std::string>{"test.color", "red", "A color.", Scope::kClient}.check(
        [](const std::string& color) { return color == "red" || color == "blue"; }, "red or blue");

const Origin kFile = Origin::file("freshet.yaml", 12);
const Origin kVariable = Origin::environment("FRESHET_TEST");
const Origin kFlag = Origin::command_line("-D");

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Configuration, GivesTheDefaultOfAnOptionThatIsNotSet) {
  const Configuration configuration;
  EXPECT_EQ(configuration.get(options::kPipelineMaxParallelism), 128);
  EXPECT_EQ(configuration.find(options::kPipelineMaxParallelism), std::nullopt);
  EXPECT_FALSE(configuration.contains(options::kPipelineMaxParallelism));
  EXPECT_EQ(configuration.origin(options::kPipelineMaxParallelism).text(), "default");
}

TEST(Configuration, GivesEveryTypeAsItWasSet) {
  Configuration configuration;
  configuration.set(options::kParallelismDefault, 4);
  configuration.set(options::kExecutionBatchRecords, 1);
  configuration.set(options::kPipelineFusion, false);
  configuration.set(options::kPipelineName, " a job's name ");
  configuration.set(options::kExecutionBufferTimeout, milliseconds(7));
  configuration.set(options::kTaskStackSize, MemorySize::kilobytes(128));
  configuration.set(options::kExecutionRuntimeMode, RuntimeMode::kBatch);
  configuration.set(options::kPluginDirs, {"/a,b", "/c"});
  configuration.set(kShare, 0.25);
  configuration.set(kLabels, {{"team", "blue"}});

  EXPECT_EQ(configuration.get(options::kParallelismDefault), 4);
  EXPECT_EQ(configuration.get(options::kExecutionBatchRecords), 1);
  EXPECT_FALSE(configuration.get(options::kPipelineFusion));
  EXPECT_EQ(configuration.get(options::kPipelineName), " a job's name ");
  EXPECT_EQ(configuration.get(options::kExecutionBufferTimeout), milliseconds(7));
  EXPECT_EQ(configuration.get(options::kTaskStackSize), MemorySize::kilobytes(128));
  EXPECT_EQ(configuration.get(options::kExecutionRuntimeMode), RuntimeMode::kBatch);
  EXPECT_EQ(configuration.get(options::kPluginDirs), (std::vector<std::string>{"/a,b", "/c"}));
  EXPECT_EQ(configuration.get(kShare), 0.25);
  EXPECT_EQ(configuration.get(kLabels), (StringMap{{"team", "blue"}}));
  EXPECT_EQ(configuration.origin(kShare).text(), "main");
  EXPECT_EQ(configuration.warnings(), std::vector<std::string>());
}

TEST(Configuration, LetsTheLaterSourceWinInWhateverOrderTheyAreRead) {
  const Origin sources[] = {kFile, kVariable, kFlag, Origin::main()};
  int order[] = {0, 1, 2, 3};
  do {
    Configuration configuration;
    int highest = 0;
    for (const int i : order) {
      configuration.set_raw("parallelism.default", std::to_string(i + 1), sources[i]);
      highest = std::max(highest, i);
      EXPECT_EQ(configuration.get(options::kParallelismDefault), highest + 1);
      EXPECT_EQ(configuration.origin(options::kParallelismDefault), sources[highest]);
    }
  } while (std::next_permutation(std::begin(order), std::end(order)));
}

TEST(Configuration, LetsTheLaterCallWinWithinOneSource) {
  Configuration configuration;
  configuration.set_raw("parallelism.default", "2", kFlag);
  configuration.set_raw("parallelism.default", "3", Origin::command_line("--parallelism"));
  EXPECT_EQ(configuration.get(options::kParallelismDefault), 3);
  EXPECT_EQ(configuration.origin(options::kParallelismDefault).text(),
            "--parallelism on the command line");
}

TEST(Configuration, MergesUnderTheSameRule) {
  Configuration file, flags;
  file.set_raw("parallelism.default", "2", kFile);
  file.set_raw("pipeline.fusion", "false", kFile);
  flags.set_raw("parallelism.default", "3", kFlag);
  Configuration merged = flags;
  merged.merge(file);
  EXPECT_EQ(merged.get(options::kParallelismDefault), 3);
  EXPECT_FALSE(merged.get(options::kPipelineFusion));
  file.merge(flags);
  EXPECT_EQ(file, merged);
  EXPECT_EQ(flags.to_entries().size(), 1u) << "a copy is independent";
}

TEST(Configuration, RefusesABadValueNamingKeyValueOriginAndWhatIsExpected) {
  Configuration configuration;
  configuration.set_raw("parallelism.default", "four", kFile);
  try {
    configuration.get(options::kParallelismDefault);
    FAIL() << "'four' was taken";
  } catch (const BadValue& error) {
    EXPECT_STREQ(error.what(),
                 "bad value 'four' for option 'parallelism.default' (freshet.yaml:12): expected an "
                 "integer of 32 bits, from 1 to 32768");
    EXPECT_EQ(error.key(), "parallelism.default");
    EXPECT_EQ(error.value(), "four");
    EXPECT_EQ(error.origin(), kFile);
  }
}

TEST(Configuration, RefusesValuesOutOfBounds) {
  for (const char* text : {"0", "-1", "32769", "99999999999"}) {
    Configuration configuration;
    configuration.set_raw("pipeline.max-parallelism", text, kVariable);
    EXPECT_THROW(configuration.get(options::kPipelineMaxParallelism), BadValue) << text;
    EXPECT_THROW(configuration.validate(), BadValue) << text;
  }
  Configuration configuration;
  EXPECT_THROW(configuration.set(options::kPipelineMaxParallelism, 0), BadValue);
  EXPECT_THROW(configuration.set(options::kExecutionBufferTimeout, milliseconds(-1)), BadValue);
  EXPECT_THROW(configuration.set(kShare, std::stod("nan")), BadValue);
  EXPECT_THROW(configuration.set(kColor, "green"), BadValue);
  EXPECT_THROW(configuration.set(options::kExecutionRuntimeMode, static_cast<RuntimeMode>(77)),
               BadValue);
  EXPECT_TRUE(configuration.to_entries().empty()) << "a refused value leaves no trace";
  EXPECT_EQ(refusal([&] { configuration.set(kColor, "green"); }),
            "bad value 'green' for option 'test.color' (main): expected text, red or blue");
}

TEST(Configuration, ShowsABadValueOnOneShortLine) {
  Configuration configuration;
  configuration.set_raw("parallelism.default", "a\nb\x01" + std::string(1'000'000, 'x'), kFlag);
  const std::string text = refusal([&] { configuration.get(options::kParallelismDefault); });
  EXPECT_LT(text.size(), 400u);
  EXPECT_NE(text.find("'a\\x0ab\\x01xxx"), std::string::npos) << text;
}

TEST(Configuration, NeverShowsABadSecret) {
  const ConfigOption<std::int32_t> pin =
      ConfigOption<std::int32_t>{"test.pin", std::nullopt, "A pin.", Scope::kJob}.secret();
  Configuration configuration;
  configuration.set_raw("test.pin", "12x4", kFlag);
  const std::string text = refusal([&] { configuration.get(pin); });
  EXPECT_EQ(text.find("12x4"), std::string::npos) << text;
  EXPECT_NE(text.find("'******'"), std::string::npos) << text;
}

TEST(Configuration, SaysWhatToSetIfThereIsNoDefault) {
  EXPECT_THROW(Configuration().get(options::kExecutionTarget), MissingValue);
  EXPECT_EQ(refusal([] { Configuration().get(options::kExecutionTarget); }),
            "option 'execution.target' is not set and has no default: set it, for example with -D "
            "execution.target=VALUE, where VALUE is text, not empty");
}

TEST(Configuration, ReadsDeprecatedKeysAndWarns) {
  Configuration configuration;
  configuration.set_raw("test.portion", "0.1", kFile);
  EXPECT_EQ(configuration.get(kShare), 0.1);
  EXPECT_TRUE(configuration.contains(kShare));
  EXPECT_EQ(configuration.warnings(),
            std::vector<std::string>{
                "option 'test.portion' (freshet.yaml:12) is deprecated: use 'test.share'"});

  configuration.set_raw("test.share", "0.2", kFile);
  EXPECT_EQ(configuration.get(kShare), 0.2) << "its own key first";
  configuration.set_raw("test.part", "0.3", kFlag);
  EXPECT_EQ(configuration.get(kShare), 0.3) << "but a later source wins";
  configuration.set_raw("test.part", "3", kFlag);
  EXPECT_EQ(refusal([&] { configuration.get(kShare); }),
            "bad value '3' for option 'test.part' (-D on the command line): expected a finite "
            "number such as '0.5', from 0 to 1");
}

TEST(Configuration, WarnsOfUnknownKeysWithTheNearest) {
  Configuration configuration;
  configuration.set_raw("paralelism.default", "4", kFile);
  configuration.set_raw("user.paralelism.default", "4", kFile);
  configuration.set_raw("quite.another.thing", "4", kFlag);
  EXPECT_EQ(configuration.warnings(),
            (std::vector<std::string>{
                "unknown option 'paralelism.default' (freshet.yaml:12): did you mean "
                "'parallelism.default'?",
                "unknown option 'quite.another.thing' (-D on the command line): 'fr config' lists "
                "all; an application's own begin with 'user.'"}));
}

TEST(Configuration, GathersAMapFromItsItems) {
  Configuration configuration;
  configuration.set_raw("test.labels", "team:blue,site:north", kFile);
  configuration.set_raw("test.labels.team", "a,b:'c'", kVariable);
  EXPECT_EQ(configuration.get(kLabels), (StringMap{{"team", "a,b:'c'"}, {"site", "north"}}));
  EXPECT_EQ(configuration.origin(kLabels), kVariable);
  EXPECT_TRUE(configuration.warnings().empty());

  configuration.set_raw("test.labels", "floor:3", kFlag);
  EXPECT_EQ(configuration.get(kLabels), (StringMap{{"floor", "3"}})) << "the later whole wins";
  configuration.set_raw("test.labels", "floor", kFlag);
  EXPECT_EQ(refusal([&] { configuration.get(kLabels); }),
            "bad value 'floor' for option 'test.labels' (-D on the command line): expected a map "
            "such as 'key:value,key:value'");

  configuration.set(kLabels, {{"last", "1"}});
  EXPECT_EQ(configuration.get(kLabels), (StringMap{{"last", "1"}}));
}

TEST(Configuration, SetReplacesTheItemsOfAMapThatMainSetBefore) {
  Configuration configuration;
  configuration.set_raw("test.labels.team", "blue", Origin::main());
  configuration.set(kLabels, {{"site", "north"}});
  EXPECT_EQ(configuration.get(kLabels), (StringMap{{"site", "north"}}));
}

TEST(Configuration, IsTheSameAfterItsEntriesHaveTravelled) {
  Configuration configuration;
  configuration.set_raw("user.any", std::string("bytes\0\xff\n", 8), kFile);
  configuration.set(options::kParallelismDefault, 3);
  configuration.set_raw("pipeline.fusion", "false", kVariable);
  const Configuration::Entries entries = configuration.to_entries();
  EXPECT_EQ(Configuration::from_entries(entries), configuration);
  EXPECT_THROW(Configuration::from_entries({{"", {"x", kFile}}}), InvalidInput);
}

TEST(Configuration, RefusesASettingWithoutAKey) {
  Configuration configuration;
  EXPECT_THROW(configuration.set_raw("", "4", kFlag), InvalidInput);
  EXPECT_TRUE(configuration.to_entries().empty());
}

TEST(Configuration, DividesByScope) {
  Configuration configuration;
  configuration.set(options::kParallelismDefault, 3);
  configuration.set(options::kExecutionTarget, "local");
  configuration.set(options::kLogLevel, LogLevel::kDebug);
  configuration.set_raw("test.portion", "0.1", kFile);
  configuration.set_raw("user.name", "x", kFile);
  const auto keys = [&](Scope scope) {
    std::vector<std::string> found;
    for (const auto& [key, entry] : configuration.of_scope(scope).to_entries())
      found.push_back(key);
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(Scope::kJob), (Keys{"parallelism.default", "test.portion", "user.name"}));
  EXPECT_EQ(keys(Scope::kClient), Keys{"execution.target"});
  EXPECT_EQ(keys(Scope::kCluster), Keys{"log.level"});
}

TEST(Configuration, ForgetsAKeyThatIsRemoved) {
  Configuration configuration;
  configuration.set(options::kParallelismDefault, 3);
  configuration.remove("parallelism.default");
  EXPECT_EQ(configuration.get(options::kParallelismDefault), 1);
}

TEST(OptionCatalog, HoldsAnOptionForAsLongAsItLives) {
  EXPECT_FALSE(OptionCatalog::find("test.short-lived"));
  {
    const auto option =
        ConfigOption<std::int32_t>{"test.short-lived", 1, "Short.", Scope::kJob}.minimum(1);
    ASSERT_TRUE(OptionCatalog::find("test.short-lived"));
    EXPECT_EQ(OptionCatalog::find("test.short-lived")->expected,
              "an integer of 32 bits, at least 1");
    EXPECT_FALSE(OptionCatalog::accepts("test.short-lived", "0"));
  }
  EXPECT_FALSE(OptionCatalog::find("test.short-lived"));
  EXPECT_TRUE(OptionCatalog::accepts("test.short-lived", "0")) << "unknown: not its to judge";
}

TEST(OptionCatalog, HoldsAnOptionForAsLongAsACopyLives) {
  using Option = ConfigOption<std::int32_t>;
  auto first = std::make_unique<Option>("test.copied", 1, "Copied.", Scope::kJob);
  auto second = std::make_unique<Option>(*first);
  first.reset();
  EXPECT_TRUE(OptionCatalog::find("test.copied"));
  second.reset();
  EXPECT_FALSE(OptionCatalog::find("test.copied"));
}

TEST(OptionCatalog, IsInOrderAndHasEachKeyOnce) {
  const ConfigOption<bool> again{"parallelism.default", true, "A second one.", Scope::kJob};
  const auto all = OptionCatalog::all();
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].key, all[i].key);
  EXPECT_EQ(OptionCatalog::find("parallelism.default")->type, "int") << "the first one counts";
}

TEST(OptionCatalog, ServesReadersWhileModulesDeclare) {
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      for (const OptionInfo& option : OptionCatalog::all())
        if (option.default_text) OptionCatalog::accepts(option.key, *option.default_text);
    }
  });
  for (int i = 0; i < 200; ++i) {
    const auto option = ConfigOption<std::int64_t>{"test.declared-meanwhile", 5, "x", Scope::kJob}
                            .minimum(1)
                            .maximum(9)
                            .deprecated_keys({"test.old"});
    EXPECT_TRUE(OptionCatalog::find("test.old"));
  }
  done = true;
  reader.join();
}

TEST(OptionCatalog, TakesUnknownKeysForSecretThatAreNamedLikeOne) {
  EXPECT_TRUE(OptionCatalog::is_secret("test.phrase"));
  EXPECT_TRUE(OptionCatalog::is_secret("user.db.Password"));
  EXPECT_FALSE(OptionCatalog::is_secret("user.db.host"));
}

TEST(Options, HaveDefaultsThatTheyAcceptAndKeysThatAreWellFormed) {
  for (const OptionInfo& option : OptionCatalog::all()) {
    if (option.default_text) {
      EXPECT_TRUE(OptionCatalog::accepts(option.key, *option.default_text)) << option.key;
    }
    EXPECT_EQ(option.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-"),
              std::string::npos)
        << option.key;
    EXPECT_FALSE(option.description.empty()) << option.key;
    EXPECT_EQ(option.description.back(), '.') << option.key;
    for (const OptionInfo& other : OptionCatalog::all())  // YAML could not hold both as nested maps
      EXPECT_FALSE(other.key.starts_with(option.key + ".")) << option.key << ' ' << other.key;
  }
}

TEST(NearestName, FindsALikelySlipAndNothingElse) {
  const std::vector<std::string> names{"local", "standalone", "standalone-session", "kubernetes"};
  EXPECT_EQ(nearest_name("locl", names), "local");
  EXPECT_EQ(nearest_name("LOCAL", names), "local");
  EXPECT_EQ(nearest_name("standalone-sesion", names), "standalone-session");
  EXPECT_EQ(nearest_name("kuberentes", names), "kubernetes");
  EXPECT_EQ(nearest_name("yarn", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("x", {"y"}), "");
  EXPECT_EQ(nearest_name("local", {}), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'x'), names), "");
}

}  // namespace
}  // namespace freshet
