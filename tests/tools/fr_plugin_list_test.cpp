// `fr plugin list` and `fr plugin inspect` as people call them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fr.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;
using nlohmann::json;

class FrPluginList : public ::testing::Test {
 protected:
  // A copy of a test module; the folder has one each.
  std::string module(const std::string& name, const std::string& folder,
                     const std::string& as = {}) const {
    const fs::path to = scratch_ / (folder + "/" + (as.empty() ? name : as) + ".so");
    fs::create_directories(to.parent_path());
    fs::copy_file(fs::path(path_from("FRESHET_TEST_MODULES")) / (name + ".so"), to);
    return to.string();
  }
  json list(std::vector<std::string> arguments, const Surroundings& around) const {
    arguments.insert(arguments.begin(), {"plugin", "list", "--json"});
    const Outcome outcome = fr_.in(around, arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    return json::parse(outcome.output);
  }
  json list(const std::vector<std::string>& arguments) const {
    return list(arguments, fr_.surroundings());
  }
  static json entry_of(const json& list, const std::string& file) {
    for (const json& entry : list["plugins"])
      if (entry["file"] == file) return entry;
    ADD_FAILURE() << "no " << file << " in " << list.dump(2);
    return {};
  }

  const Fr fr_{};
  const ScratchFolder scratch_;
};

TEST_F(FrPluginList, TellsKindVersionFileAndStateOfWhatIsInAFolder) {
  const std::string alpha = module("alpha", "p");
  const json plugins = list({"--plugin-dir", scratch_ / "p"});
  EXPECT_EQ(entry_of(plugins, alpha), json({{"name", "alpha"},
                                            {"kind", "connector"},
                                            {"version", "1.2.3"},
                                            {"file", alpha},
                                            {"state", "usable"},
                                            {"reason", ""},
                                            {"shadows", json::array()},
                                            {"differences", json::array()}}));
  EXPECT_EQ(plugins["folders"][0]["path"], scratch_ / "p");
  EXPECT_EQ(plugins["folders"][0]["origin"], "option plugin.dirs");
}

TEST_F(FrPluginList, TheFirstOfANameWinsAndWhatItShadowsIsTold) {
  const std::string first = module("alpha", "first"), second = module("alpha", "second");
  const json plugins =
      list({"--plugin-dir", scratch_ / "first", "--plugin-dir", scratch_ / "second"});
  EXPECT_EQ(entry_of(plugins, first)["shadows"], json::array({second}));
  EXPECT_EQ(entry_of(plugins, second)["state"], "shadowed");
  EXPECT_NE(entry_of(plugins, second)["reason"].get<std::string>().find(first), std::string::npos);

  const Outcome text = fr_(
      {"plugin", "list", "--plugin-dir", scratch_ / "first", "--plugin-dir", scratch_ / "second"});
  EXPECT_NE(text.output.find("    shadows " + second + "\n"), std::string::npos) << text.text();
  EXPECT_EQ(text.output.rfind("NAME", 0), 0u);
}

TEST_F(FrPluginList, RefusedFilesAreListedWithTheReasonAndDoNotFailTheList) {
  const std::string broken = scratch_.write("p/broken.so", "no ELF at all");
  const json plugins = list({"--plugin-dir", scratch_ / "p"});
  EXPECT_EQ(entry_of(plugins, broken)["state"], "refused");
  EXPECT_EQ(entry_of(plugins, broken)["kind"], "");
  EXPECT_NE(entry_of(plugins, broken)["reason"], "");
}

TEST_F(FrPluginList, HonoursTheVariableTheOptionAndTheConfigurationFile) {
  const std::string by_variable = module("alpha", "variable");
  const std::string by_option = module("beta", "option");
  const std::string by_file = module("brook", "file");
  Surroundings around = fr_.surroundings();
  around.variables["FRESHET_PLUGIN_PATH"] = scratch_ / "variable";
  EXPECT_EQ(entry_of(list({}, around), by_variable)["state"], "usable");
  EXPECT_EQ(entry_of(list({"-D", "plugin.dirs=" + scratch_ / "option"}), by_option)["state"],
            "usable");
  const std::string yaml =
      scratch_.write("freshet.yaml", "plugin.dirs: [" + scratch_ / "file" + "]\n");
  EXPECT_EQ(entry_of(list({"--config", yaml}), by_file)["kind"], "executor");
}

TEST_F(FrPluginList, SaysWhyAFolderIsNotLookedInto) {
  const Outcome outcome = fr_({"plugin", "list", "--plugin-dir", scratch_ / "nowhere"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.output.find(
                "looked in " + scratch_ / "nowhere" +
                " (option plugin.dirs; skipped: does not exist: make it to put plugins there)"),
            std::string::npos)
      << outcome.text();
}

TEST_F(FrPluginList, AWrongCommandLineIsBadUsage) {
  EXPECT_EQ(fr_({"plugin"}).code, 64);
  EXPECT_EQ(fr_({"plugin", "list", "--no-such-flag"}).code, 64);
  EXPECT_EQ(fr_({"plugin", "inspect"}).code, 64);
  EXPECT_EQ(fr_({"plugin", "list", "-D", "log.level=loud"}).code, 65);
}

TEST_F(FrPluginList, InspectTellsAllOfTheIdentity) {
  const std::string alpha = module("alpha", "p");
  const Outcome outcome = fr_({"plugin", "inspect", alpha, "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  const json identity = json::parse(outcome.output);
  EXPECT_EQ(identity["kind"], "connector");
  EXPECT_EQ(identity["kind_number"], 6);
  EXPECT_EQ(identity["name"], "alpha");
  EXPECT_EQ(identity["version"], "1.2.3");
  EXPECT_EQ(identity["state"], "usable");
  EXPECT_EQ(identity["size"], fs::file_size(alpha));
  EXPECT_EQ(identity["sha256"].get<std::string>().size(), 64u);
  EXPECT_NE(identity["build"]["compiler"], "");
  EXPECT_EQ(identity["needed_libraries"][0].get<std::string>().rfind("lib", 0), 0u);

  const Outcome text = fr_({"plugin", "inspect", alpha});
  for (const std::string line : {"state      usable\n", "kind       connector\n",
                                 "name       alpha\n", "version    1.2.3\n"})
    EXPECT_NE(text.output.find(line), std::string::npos) << text.text();
}

// As after -march=native, where a list of all instruction sets is longer than a line.
TEST_F(FrPluginList, InspectTellsLongValuesWhole) {
  const std::string alpha = module("alpha", "p");
  std::string bytes = text_of_file(alpha);
  const std::size_t level = bytes.find(";isa=x86-64");
  if (level == std::string::npos) GTEST_SKIP() << "other hosts have a short value";
  const std::size_t sets = bytes.find(':', level) + 1;
  for (std::size_t i = sets; bytes[i] != ';'; ++i) bytes[i] = 'f';
  const std::string all = scratch_.write("all.so", bytes);
  const json identity = json::parse(fr_({"plugin", "inspect", all, "--json"}).output);
  const std::string isa = identity["build"]["isa"];
  EXPECT_GT(isa.size(), 300u) << isa;
  const Outcome text = fr_({"plugin", "inspect", all});
  EXPECT_NE(text.output.find("    isa           " + isa + "  (here "), std::string::npos)
      << text.text();
}

TEST_F(FrPluginList, InspectTellsWhyAFileIsRefusedAndEndsWith65) {
  for (const std::string& file :
       {scratch_.write("text.so", "just text"), scratch_ / "nowhere.so", scratch_.path()}) {
    const Outcome text = fr_({"plugin", "inspect", file});
    EXPECT_EQ(text.code, 65) << text.text();
    EXPECT_NE(text.output.find("state      refused\nreason     "), std::string::npos)
        << text.text();
    const Outcome outcome = fr_({"plugin", "inspect", "--json", file});
    EXPECT_EQ(outcome.code, 65);
    EXPECT_EQ(json::parse(outcome.output)["state"], "refused");
  }
}

// One judgement: what 'list' refuses for its mode or owner, 'inspect' and 'check' refuse as well.
TEST_F(FrPluginList, InspectAndCheckRefuseWhatOthersMayWriteTo) {
  const std::string alpha = module("alpha", "p");
  const auto expect_refused = [&](const std::string& reason) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"plugin", "inspect", alpha},
             {"plugin", "check", alpha},
             {"plugin", "list", "--plugin-dir", scratch_ / "p"}}) {
      const Outcome outcome = fr_(words);
      EXPECT_EQ(outcome.code, words[1] == "list" ? 0 : 65) << outcome.text();
      EXPECT_NE(outcome.output.find(reason), std::string::npos) << outcome.text();
      EXPECT_EQ(outcome.output.find("state      usable"), std::string::npos) << outcome.text();
    }
  };
  for (const mode_t mode : {0664u, 0646u}) {
    fs::permissions(alpha, static_cast<fs::perms>(mode));
    expect_refused(mode == 0664 ? "its group may write to it" : "anybody may write to it");
  }
  fs::permissions(alpha, static_cast<fs::perms>(0644));
  EXPECT_EQ(fr_({"plugin", "inspect", alpha}).code, 0);
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(alpha.c_str(), 65534, 0), 0);
  expect_refused("it belongs to user");
}

TEST_F(FrPluginList, InspectReadsAnApplicationToo) {
  const std::string application = module("count_arguments", "p");
  const Outcome outcome = fr_({"plugin", "inspect", application, "--json"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(json::parse(outcome.output)["kind"], "application");
}

TEST_F(FrPluginList, InspectRunsNoneOfTheFilesCode) {
  // It says so when it is loaded: see the marker of the test modules.
  const std::string alpha = module("alpha", "p");
  Surroundings around = fr_.surroundings();
  around.variables["FRESHET_TEST_MARKER"] = scratch_ / "marker";
  EXPECT_EQ(fr_.in(around, {"plugin", "inspect", alpha}).code, 0);
  EXPECT_EQ(fr_.in(around, {"plugin", "list", "--plugin-dir", scratch_ / "p"}).code, 0);
  EXPECT_FALSE(fs::exists(scratch_ / "marker"));
}

}  // namespace
