#include "shared_objects/judged_file.h"

#include "plugin_catalog/plugin_catalog.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using namespace std::chrono_literals;
using test_modules::Patient;
using test_modules::ScratchFolder;
using State = CatalogEntry::State;
namespace fs = std::filesystem;

// As if it had been written long ago.
fs::path aged(const fs::path& file) {
  fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  return file;
}

fs::path alpha_in(const ScratchFolder& folder) {
  return aged(folder.write("alpha.so", test_modules::content(test_modules::path("alpha"))));
}

TEST(JudgedFile, ARefusedOneTellsAsMuchAsCouldBeRead) {
  const ScratchFolder folder;
  const CatalogEntry foreign =
      judged_file(folder.write("a.so", Patient("alpha").tag("boost=1_", "boost=9_").bytes));
  EXPECT_EQ(foreign.state, State::kRefused);
  EXPECT_EQ(foreign.file.identity.name, "alpha");
  EXPECT_FALSE(foreign.file.needed_libraries.empty());
  const CatalogEntry reserved = judged_file(
      folder.write("a.so", Patient("alpha").note([](auto& n) { n.version[0] = '\n'; }).bytes));
  EXPECT_EQ(reserved.file.identity.name, "alpha");
  EXPECT_EQ(reserved.file.identity.version, "");
  const CatalogEntry text = judged_file(folder.write("a.so", "text"));
  EXPECT_EQ(text.file.path, folder / "a.so");
  EXPECT_EQ(text.file.identity.kind, std::uint32_t{FRESHET_KIND_NONE});
}

TEST(JudgedFile, AnApplicationIsUsable) {
  EXPECT_EQ(judged_file(test_modules::path("count_arguments")).state, State::kUsable);
}

TEST(JudgedFiles, NoneIsReadTwiceWhileItStaysTheSame) {
  const ScratchFolder folder;
  const fs::path file = alpha_in(folder);
  fs::create_symlink(file, folder / "link.so");
  JudgedFiles files;
  EXPECT_EQ(files.judged(file).file.identity.name, "alpha");
  EXPECT_EQ(files.reads(), 1u);
  const CatalogEntry again = files.judged(folder / "link.so");
  EXPECT_EQ(files.reads(), 1u);
  EXPECT_EQ(again.file.path, folder / "link.so");
  EXPECT_EQ(again.file.identity, read_plugin_file(file).identity);
}

TEST(JudgedFiles, RefusalsAreRememberedToo) {
  const ScratchFolder folder;
  const fs::path file = aged(folder.write("bad.so", "no plugin"));
  JudgedFiles files;
  const std::string reason = files.judged(file).reason;
  EXPECT_EQ(files.judged(file).reason, reason);
  EXPECT_EQ(files.reads(), 1u);
}

TEST(JudgedFiles, AChangedOneIsReadAgain) {
  const ScratchFolder folder;
  const fs::path file = alpha_in(folder);
  JudgedFiles files;
  files.judged(file);
  folder.write("next", test_modules::content(test_modules::path("beta")));
  fs::rename(aged(folder / "next"), file);
  EXPECT_EQ(files.judged(file).file.identity.name, "beta");
  aged(folder.write("alpha.so", "no plugin"));
  EXPECT_EQ(files.judged(file).state, State::kRefused);
}

// Within one tick of the file system's clock a file can change without showing it.
TEST(JudgedFiles, OneThatWasJustWrittenIsReadAgain) {
  const ScratchFolder folder;
  JudgedFiles files(1h);
  const fs::path file =
      folder.write("alpha.so", test_modules::content(test_modules::path("alpha")));
  const auto when = fs::last_write_time(file);
  EXPECT_EQ(files.judged(file).state, State::kUsable);
  folder.write("alpha.so", Patient("alpha").note([](auto& n) { n.kind = 77; }).bytes);
  fs::last_write_time(file, when);
  EXPECT_EQ(files.judged(file).state, State::kRefused);
}

TEST(JudgedFiles, WhatIsNoFileIsNotRemembered) {
  const ScratchFolder folder;
  JudgedFiles files;
  EXPECT_EQ(files.judged(folder / "alpha.so").state, State::kRefused);
  EXPECT_EQ(files.judged(alpha_in(folder)).state, State::kUsable);
}

TEST(JudgedFiles, ASecondCatalogOpensNoFile) {
  const ScratchFolder folder;
  alpha_in(folder);
  aged(folder.write("bad.so", "no plugin"));
  SearchPath::Sources sources;
  sources.option_folders = {folder.path().native()};
  JudgedFiles files;
  const PluginCatalog first(SearchPath(sources), kPluginPatience, files);
  const PluginCatalog second(SearchPath(sources), kPluginPatience, files);
  EXPECT_EQ(files.reads(), 2u);
  ASSERT_EQ(second.entries().size(), 2u);
  EXPECT_EQ(second.entries()[0].file.identity, first.entries()[0].file.identity);
  EXPECT_EQ(second.entries()[1].reason, first.entries()[1].reason);
}

}  // namespace
}  // namespace freshet::core
