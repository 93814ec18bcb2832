// Bad files in a plugin folder, on a user's ways to them: what is told, and that none of their code
// runs. The files are those of the gallery (tests/unit/plugin_catalog/bad_files.h).
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "bad_files.h"
#include "fr.h"
#include "shared_objects/build_tag.h"

namespace {

using namespace freshet::testing;
using freshet::gallery::BadBytes;
using freshet::gallery::BadFile;
namespace fs = std::filesystem;
using nlohmann::json;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class RefusedFiles : public ::testing::Test {
 protected:
  RefusedFiles() {
    fs::create_directory(plugins_);
    for (const BadBytes& bad : freshet::gallery::bad_bytes()) {
      const std::string file = plugins_ + "/b" + std::to_string(bad_.size()) + ".so";
      scratch_.write("plugins/" + fs::path(file).filename().native(), bad.bytes);
      bad_.push_back({bad.what, file, bad.said});
    }
    for (BadFile& odd : freshet::gallery::put_odd_files(plugins_)) bad_.push_back(std::move(odd));
    if (!freshet::core::host_has_instructions("amx-tile") && fs::exists(built("tiles")))
      bad_.push_back({"built for AMX",
                      put("tiles"),
                      {"'amx-tile'", "this host is 'x86-64", "build it with -march=x86-64"}});
    around_ = fr_.surroundings();
    around_.variables["FRESHET_TEST_MARKER"] = marker_;
  }
  static fs::path built(const std::string& module) {
    return fs::path(path_from("FRESHET_TEST_MODULES")) / (module + ".so");
  }
  std::string put(const std::string& module) const {
    fs::copy_file(built(module), plugins_ + "/" + module + ".so");
    return plugins_ + "/" + module + ".so";
  }
  Outcome fr_run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-v", "--target=nowhere", "--plugin-dir", plugins_});
    return run(fr_run_.line(arguments), around_);
  }

  const ScratchFolder scratch_;
  const std::string plugins_ = scratch_ / "plugins", marker_ = scratch_ / "marker";
  const Fr fr_;
  const FrRun fr_run_;
  Surroundings around_;
  std::vector<BadFile> bad_;
};

TEST_F(RefusedFiles, AreListedWithFileBothValuesAndTheMend) {
  const Outcome outcome = fr_.in(around_, {"plugin", "list", "--json", "--plugin-dir", plugins_});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  const Outcome text = fr_.in(around_, {"plugin", "list", "--plugin-dir", plugins_});
  std::map<std::string, json> listed;
  const json list = json::parse(outcome.output);
  for (const json& entry : list["plugins"]) listed[entry["file"]] = entry;
  for (const BadFile& bad : bad_) {
    SCOPED_TRACE(bad.what);
    const json& entry = listed[bad.file.native()];
    ASSERT_TRUE(entry.is_object()) << bad.file;
    EXPECT_EQ(entry["state"], "refused");
    const std::string reason = entry["reason"];
    for (const std::string& part : bad.said)
      EXPECT_TRUE(has(reason, part)) << part << "\n" << reason;
    EXPECT_TRUE(has(text.output, bad.file.native() + "\n    " + reason + "\n")) << reason;
  }
  EXPECT_GT(bad_.size(), 65u);
  EXPECT_FALSE(fs::exists(marker_));
}

TEST_F(RefusedFiles, AreToldToWhoeverLooksForAnExecutorInVain) {
  const Outcome outcome = fr_run({path_from("FRESHET_TEST_WORD_COUNT")});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_TRUE(has(outcome.errors, "no executor for target 'nowhere'")) << outcome.errors;
  for (const BadFile& bad : bad_) {
    SCOPED_TRACE(bad.what);
    const std::size_t at = outcome.errors.find("  refused: " + bad.file.native() + ": ");
    ASSERT_NE(at, std::string::npos) << outcome.errors;
    const std::string line = outcome.errors.substr(at, outcome.errors.find('\n', at) - at);
    for (const std::string& part : bad.said) EXPECT_TRUE(has(line, part)) << part << "\n" << line;
  }
  EXPECT_FALSE(fs::exists(marker_));
}

// Else these tests would see nothing.
TEST_F(RefusedFiles, WouldHaveLeftTheirMarkerIfTheyHadNotBeenDamaged) {
  put("marked");
  const Outcome outcome = fr_run({path_from("FRESHET_TEST_WORD_COUNT")});
  EXPECT_TRUE(has(outcome.errors, "found: 'marked'")) << outcome.errors;
  EXPECT_TRUE(fs::exists(marker_));
}

TEST_F(RefusedFiles, AreInspectedOneByOne) {
  for (const BadFile& bad : bad_) {
    SCOPED_TRACE(bad.what);
    const Outcome outcome = fr_.in(around_, {"plugin", "inspect", bad.file.native()});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(has(outcome.output, bad.file.native())) << outcome.output;
    for (const std::string& part : bad.said)
      EXPECT_TRUE(has(outcome.output, part)) << outcome.output;
  }
  EXPECT_FALSE(fs::exists(marker_));
}

TEST_F(RefusedFiles, AreNoApplicationsEither) {
  const ScratchFolder good;
  const std::string local = fs::path(path_from("FRESHET_TEST_LOCAL_EXECUTOR")).parent_path();
  for (const BadFile& bad : bad_) {
    SCOPED_TRACE(bad.what);
    const Outcome outcome =
        run(fr_run_.line({bad.file.native(), "--target=local", "--plugin-dir", local}), around_);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(has(outcome.errors, bad.file.native())) << outcome.errors;
    for (const std::string& part : bad.said)
      EXPECT_TRUE(has(outcome.errors, part)) << outcome.errors;
  }
  EXPECT_FALSE(fs::exists(marker_));
}

TEST_F(RefusedFiles, AnExecutorThatTheLoaderRefusesIsSkippedWithItsWords) {
  const std::string needy = put("undefined_in_executor");
  const Outcome outcome = fr_run({path_from("FRESHET_TEST_WORD_COUNT")});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_TRUE(has(outcome.errors,
                  "executor plugin 'needy' (" + needy + ") is skipped: the loader refuses it: " +
                      needy + ": undefined symbol: from_elsewhere: install what is missing"))
      << outcome.errors;
  EXPECT_FALSE(fs::exists(marker_));
}

}  // namespace
