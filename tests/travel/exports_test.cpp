// What the applications and plugins of the build export, said by the tools of the system.
#include "carried.h"

namespace freshet::testing {
namespace {

class Exports : public Carried {
 protected:
  // Of samples and plugins, and this test's own.
  static std::vector<fs::path> modules() {
    const fs::path build = std::getenv("FRESHET_TEST_BUILD");
    std::vector<fs::path> found{module("travel"), module("agreeing")};
    for (const char* folder : {"samples", "plugins"}) {
      for (const auto& entry : fs::recursive_directory_iterator(build / folder)) {
        if (entry.path().extension() == ".so") found.push_back(entry.path());
      }
    }
    return found;
  }
};

TEST_F(Exports, OfAnApplicationOrPluginAreItsEntryAlone) {
  std::vector<std::string> names;
  for (const fs::path& file : modules()) {
    names.push_back(file.stem().native());
    const Ended symbols =
        run({"nm", "-D", "--defined-only", "--format=just-symbols", file.native()});
    EXPECT_EQ(symbols.output, "freshet_plugin\n") << file;
    const Ended all = run({"readelf", "-W", "--syms", file.native()});
    EXPECT_EQ(all.exit_code, 0) << file;
    EXPECT_FALSE(contains(all.output, " UNIQUE ")) << file;
  }
  for (const char* known : {"libword_count", "local_executor"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), known), names.end()) << known;
  }
}

}  // namespace
}  // namespace freshet::testing
