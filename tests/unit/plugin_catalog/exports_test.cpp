// What the tools of the system say about every plugin and application of the build.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "test_modules.h"

namespace {

namespace fs = std::filesystem;

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

bool has_note(const fs::path& file) {
  return test_modules::contains(output_of("readelf -SW '" + file.native() + "'"),
                                " .note.freshet ");
}

struct Module {
  fs::path file;
  bool is_product;  // a plugin or a sample, not something made for tests
};

// The shared objects that are there, of those that the build has; a run of some tests builds some.
std::vector<Module> shared_objects() {
  const fs::path build = FRESHET_TEST_BUILD;
  const auto targets =
      nlohmann::json::parse(test_modules::content(build / "meson-info/intro-targets.json"));
  std::vector<Module> found;
  for (const auto& target : targets) {
    const std::string type = target["type"];
    if (type != "shared module" && type != "shared library") continue;
    const fs::path where =
        fs::path(target["defined_in"].get<std::string>()).lexically_relative(FRESHET_TEST_SOURCE);
    const bool is_product =
        type == "shared module" && (*where.begin() == "plugins" || *where.begin() == "samples");
    for (const auto& file : target["filename"])
      if (fs::exists(file.get<std::string>()))
        found.push_back({file.get<std::string>(), is_product});
  }
  return found;
}

TEST(Exports, OfEveryPluginAndApplicationOfTheBuildAreItsEntryAlone) {
  const std::set<std::string> bad_on_purpose = {"no_entry.so", "bad_exports.so"};
  std::set<std::string> seen;
  for (const Module& module : shared_objects()) {
    if (bad_on_purpose.count(module.file.filename()) != 0) continue;
    if (!has_note(module.file)) {
      EXPECT_FALSE(module.is_product) << module.file << " has no Freshet note";
      continue;
    }
    seen.insert(module.file.filename());
    const std::string quoted = "'" + module.file.native() + "'";
    EXPECT_EQ(output_of("nm -D --defined-only --format=just-symbols " + quoted), "freshet_plugin\n")
        << module.file;
    EXPECT_FALSE(test_modules::contains(output_of("readelf -W --syms " + quoted), " UNIQUE "))
        << module.file;
  }
  for (const char* known : {"alpha.so", "count_arguments.so", "local_executor.so",
                            "cluster_executor.so", "standalone_deployer.so", "libword_count.so"})
    EXPECT_EQ(seen.count(known), 1u) << known;
}

TEST(Exports, OneMoreSymbolIsSeen) {
  EXPECT_NE(output_of("nm -D --defined-only --format=just-symbols '" +
                      test_modules::path("no_note").native() + "'"),
            "freshet_plugin\n");
}

TEST(Exports, TheNoteSurvivesStrip) {
  const test_modules::ScratchFolder folder;
  const auto copy = folder / "alpha.so";
  fs::copy_file(test_modules::path("alpha"), copy);
  output_of("strip '" + copy.native() + "'");
  EXPECT_TRUE(has_note(copy));
}

}  // namespace
