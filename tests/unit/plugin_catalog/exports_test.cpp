// What the tools of the system say about the modules that the SDK's macros made.
#include <cstdio>

#include "test_modules.h"

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

const char* const kModules[] = {"alpha", "beta", "thrower", "silent", "count_arguments"};

TEST(Exports, AModuleExportsItsEntryAlone) {
  for (const std::string name : kModules)
    EXPECT_EQ(output_of("nm -D --defined-only --format=just-symbols '" +
                        test_modules::path(name).native() + "'"),
              "freshet_plugin\n")
        << name;
}

TEST(Exports, AModuleHasNoUniqueSymbols) {
  for (const std::string name : kModules)
    EXPECT_FALSE(test_modules::contains(
        output_of("readelf -W --syms '" + test_modules::path(name).native() + "'"), " UNIQUE "))
        << name;
}

TEST(Exports, TheNoteSurvivesStrip) {
  test_modules::ScratchFolder folder;
  const auto copy = folder / "alpha.so";
  std::filesystem::copy_file(test_modules::path("alpha"), copy);
  output_of("strip '" + copy.native() + "'");
  EXPECT_TRUE(test_modules::contains(output_of("readelf -n '" + copy.native() + "'"), "Freshet"));
}

}  // namespace
