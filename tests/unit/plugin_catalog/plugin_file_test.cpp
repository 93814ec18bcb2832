#include "shared_objects/plugin_file.h"

#include <dlfcn.h>

#include <atomic>
#include <set>
#include <thread>

#include "scale.h"
#include "shared_objects/shared_object.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::Marker;
using test_modules::ScratchFolder;

TEST(PluginFile, TellsWhoAPluginIsWithoutRunningIt) {
  ScratchFolder folder;
  const Marker marker(folder);
  const PluginFile file = read_compatible_file(test_modules::path("alpha"));
  EXPECT_EQ(file.identity.name, "alpha");
  EXPECT_EQ(file.identity.version, "1.2.3");
  EXPECT_EQ(file.identity.sdk_version, FRESHET_VERSION_STRING);
  EXPECT_EQ(file.identity.kind, std::uint32_t{FRESHET_KIND_CONNECTOR});
  EXPECT_TRUE(contains(file.identity.build_tag, "stdlib=libstdc++;stdlib-abi=cxx11"))
      << file.identity.build_tag;
  EXPECT_FALSE(file.needed_libraries.empty());
  EXPECT_FALSE(marker.is_there());
  load_shared_object(file);
  EXPECT_TRUE(marker.is_there());  // so its absence does mean that nothing ran
}

TEST(PluginFile, AnApplicationWithoutANameIsNamedAfterItsFile) {
  const PluginFile file = read_plugin_file(test_modules::path("count_arguments"));
  EXPECT_EQ(file.identity.name, "count_arguments");
  EXPECT_EQ(file.identity.kind, std::uint32_t{FRESHET_KIND_APPLICATION});
}

TEST(PluginFile, IsRefusedTruncatedAnywhere) {
  ScratchFolder folder;
  const Marker marker(folder);
  const std::string whole = test_modules::content(test_modules::path("alpha"));
  for (std::size_t size = 0; size < whole.size(); size += size < 2048 ? 7 : 613) {
    const auto file = folder.write("cut.so", whole.substr(0, size));
    EXPECT_THROW(read_compatible_file(file), RefusedFile) << size << " of " << whole.size();
  }
  EXPECT_THROW(read_compatible_file(folder.write("cut.so", whole.substr(0, whole.size() - 1))),
               RefusedFile);
  EXPECT_NO_THROW(read_compatible_file(folder.write("cut.so", whole)));
  EXPECT_FALSE(marker.is_there());
}

// A reader that opened one of two files, each whole, says all of that one or refuses.
TEST(PluginFile, WhileAFileIsReplacedItIsReadWholeOrRefused) {
  const ScratchFolder folder;
  const std::string bytes[] = {test_modules::content(test_modules::path("alpha")),
                               test_modules::content(test_modules::path("brook"))};
  const auto file = folder.write("x.so", bytes[0]);
  std::atomic<bool> over{false};
  std::thread replacing([&] {
    for (int round = 0; !over; ++round) {
      if (round % 3 == 0) {
        folder.write("x.so", bytes[round % 2]);  // in place
      } else {
        std::filesystem::rename(folder.write("next", bytes[round % 2]), file);
      }
    }
  });
  int read = 0;
  std::set<std::string> seen;
  const int rounds = freshet::testing::scaled(8000, 500);
  for (int round = 0; round < rounds || seen.size() < 2; ++round) {
    try {
      const PluginIdentity identity = read_plugin_file(file).identity;
      ++read;
      seen.insert(identity.name);
      EXPECT_TRUE((identity.name == "alpha" && identity.kind == FRESHET_KIND_CONNECTOR) ||
                  (identity.name == "brook" && identity.kind == FRESHET_KIND_EXECUTOR))
          << identity.name;
    } catch (const RefusedFile& refusal) {
      EXPECT_TRUE(contains(refusal.what(), file.native() + ": ")) << refusal.what();
    }
  }
  over = true;
  replacing.join();
  EXPECT_GT(read, 0);
  EXPECT_EQ(seen, (std::set<std::string>{"alpha", "brook"}));
}

// Alpha and beta stand there by turns: the one that was judged is the one whose code runs.
TEST(PluginFile, WhileAFileIsReplacedOnlyWhatWasJudgedIsLoaded) {
  const ScratchFolder folder;
  const std::string bytes[] = {test_modules::content(test_modules::path("alpha")),
                               test_modules::content(test_modules::path("beta"))};
  const auto file = folder.write("x.so", bytes[0]);
  std::atomic<bool> over{false};
  std::thread replacing([&] {
    for (int round = 1; !over; ++round)
      std::filesystem::rename(folder.write("next", bytes[round % 2]), file);
  });
  int loaded = 0, refused = 0;
  while (loaded < freshet::testing::scaled(400, 50) || refused == 0) {  // both ways
    try {
      const PluginFile read = read_compatible_file(file);
      const freshet_plugin_v1& entry = load_shared_object(read);
      ++loaded;
      EXPECT_EQ(entry.name, read.identity.name);
      Dl_info found{};
      EXPECT_NE(::dladdr(&entry, &found), 0);
      EXPECT_EQ(found.dli_fname, file.native());
    } catch (const RefusedFile& refusal) {
      ++refused;
      EXPECT_TRUE(contains(refusal.what(), "was replaced")) << refusal.what();
    }
  }
  over = true;
  replacing.join();
}

TEST(PluginFileDeathTest, AConstructorThatThrowsEndsTheProcessWhichNamesTheFile) {
  const ScratchFolder folder;
  const auto file = folder.write("m.so", test_modules::content(test_modules::path("moody")));
  ::setenv("FRESHET_TEST_MOOD", "throws in a constructor", 1);
  EXPECT_DEATH(load_shared_object(read_compatible_file(file)),
               "/m.so: a constructor in it threw while it was loaded.*remove the file");
  ::unsetenv("FRESHET_TEST_MOOD");
}

TEST(PluginFile, ASymbolIsFoundByEitherTableOfHashes) {
  for (const char* name : {"alpha", "library"}) {
    const ElfFile file(test_modules::path(name));
    EXPECT_TRUE(file.exported(FRESHET_PLUGIN_ENTRY)) << name;
    EXPECT_FALSE(file.exported("freshet_plugim")) << name;
  }
}

TEST(PluginFile, ALocalSymbolShowsUntilTheFileIsStripped) {
  const ScratchFolder folder;
  EXPECT_TRUE(ElfFile(test_modules::path("own_contexts")).defines("jump_fcontext"));
  EXPECT_FALSE(ElfFile(test_modules::path("own_contexts")).exported("jump_fcontext"));
  EXPECT_FALSE(ElfFile(test_modules::path("alpha")).defines("jump_fcontext"));
  // Named without being defined.
  EXPECT_FALSE(ElfFile(test_modules::path("undefined_symbol")).defines("from_elsewhere"));
  const auto copy = folder / "copy.so";
  std::filesystem::copy_file(test_modules::path("own_contexts"), copy);
  ASSERT_EQ(std::system(("strip '" + copy.native() + "'").c_str()), 0);
  EXPECT_FALSE(ElfFile(copy).defines("jump_fcontext"));
}

}  // namespace
}  // namespace freshet::core
