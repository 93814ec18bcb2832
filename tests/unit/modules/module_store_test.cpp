#include "modules/module_store.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>

#include "../plugin_catalog/test_modules.h"
#include "freshet/error.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class ModuleStoreTest : public testing::Test {
 protected:
  std::size_t entries_of_apps() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(state_ / "apps"), fs::directory_iterator()));
  }

  ScratchFolder files_, state_;
  ModuleStore store_{state_.path()};
};

TEST_F(ModuleStoreTest, EveryFileStandsUnderItsPlainNameInTheFolderOfItsSet) {
  const auto main = files_.write("app.so", "main"), data = files_.write("words.txt", "a b");
  const StoredApplication stored = store_.store({main, data});
  EXPECT_EQ(stored.folder, state_ / "apps" / stored.set.hex());
  ASSERT_EQ(stored.files.size(), 2u);
  EXPECT_EQ(stored.files[0].name, "app.so");
  EXPECT_EQ(stored.files[0].sha256, Sha256::of("main"));
  EXPECT_EQ(test_modules::content(stored.folder / "app.so"), "main");
  EXPECT_EQ(test_modules::content(stored.files[1].path), "a b");
  struct stat facts {};
  ASSERT_EQ(::stat(stored.folder.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  EXPECT_EQ(entries_of_apps(), 1u);
}

TEST_F(ModuleStoreTest, TheSetHasOneHashInAnyOrderAndAnotherForOtherNamesOrContents) {
  const auto a = files_.write("a", "1"), b = files_.write("b", "2");
  const Sha256 set = store_.store({a, b}).set;
  EXPECT_EQ(store_.store({b, a}).set, set);
  EXPECT_NE(store_.store({a}).set, set);
  files_.write("b", "3");
  EXPECT_NE(store_.store({a, b}).set, set);
  files_.write("a", "2"), files_.write("b", "1");  // contents change places
  EXPECT_NE(store_.store({a, b}).set, set);
}

TEST_F(ModuleStoreTest, ACompleteFolderIsLeftAlone) {
  const auto main = files_.write("app.so", "main");
  const fs::path copy = store_.store({main}).files[0].path;
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(copy.c_str(), &before), 0);
  store_.store({main});
  ASSERT_EQ(::stat(copy.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(ModuleStoreTest, ADamagedFolderIsReplaced) {
  const auto main = files_.write("app.so", "main"), data = files_.write("data", "abc");
  const StoredApplication stored = store_.store({main, data});
  fs::remove(stored.files[1].path);
  fs::permissions(stored.files[0].path, fs::perms::owner_all);
  test_modules::write(stored.files[0].path, "ma");
  const StoredApplication again = store_.store({main, data});
  EXPECT_EQ(test_modules::content(again.files[0].path), "main");
  EXPECT_EQ(test_modules::content(again.files[1].path), "abc");
  EXPECT_EQ(entries_of_apps(), 1u);
}

TEST_F(ModuleStoreTest, AFileThatOthersMayWriteToIsNotTrusted) {
  const auto main = files_.write("app.so", "main");
  const fs::path copy = store_.store({main}).files[0].path;
  ASSERT_EQ(::chmod(copy.c_str(), 0777), 0);
  store_.store({main});
  struct stat facts {};
  ASSERT_EQ(::stat(copy.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 022, 0u);
}

TEST_F(ModuleStoreTest, ProcessesStoreAtOnce) {
  const auto main = files_.write("app.so", std::string(300000, 'm'));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool good = true;
      for (int round = 0; round < 20; ++round) {
        std::error_code ignored;
        const StoredApplication stored = store_.store({main});
        good = good && fs::file_size(stored.files[0].path, ignored) == 300000;
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(entries_of_apps(), 1u);
}

TEST_F(ModuleStoreTest, RemovesWhatAKilledProcessLeftBehindLongAgo) {
  fs::create_directories(state_ / "apps/.new-old");
  fs::create_directories(state_ / "apps/.new-young");
  fs::permissions(state_ / "apps", fs::perms::owner_all);
  fs::last_write_time(state_ / "apps/.new-old",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  store_.store({files_.write("app.so", "main")});
  EXPECT_FALSE(fs::exists(state_ / "apps/.new-old"));
  EXPECT_TRUE(fs::exists(state_ / "apps/.new-young"));
}

TEST_F(ModuleStoreTest, RefusesWhatItCanNotStore) {
  const auto error = [&](const std::vector<fs::path>& files) {
    return error_of<InvalidInput>([&] { store_.store(files); });
  };
  EXPECT_TRUE(contains(error({files_ / "absent"}), "can't be opened"));
  EXPECT_TRUE(contains(error({files_.path()}), "no regular file"));
  fs::create_directories(files_ / "sub");
  EXPECT_TRUE(contains(error({files_.write("x", "1"), files_.write("sub/x", "2")}),
                       "a file named 'x' is shipped already"));
  const ModuleStore nowhere(files_.write("file", ""));
  EXPECT_TRUE(
      contains(error_of<InvalidInput>([&] { nowhere.store({files_ / "x"}); }), "XDG_CACHE_HOME"));
}

TEST_F(ModuleStoreTest, AStateFolderThatOthersMayWriteToIsRefused) {
  fs::permissions(state_.path(), fs::perms::all);
  EXPECT_TRUE(
      contains(error_of<InvalidInput>([&] { store_.store({files_.write("app.so", "main")}); }),
               "others may write to it"));
}

TEST_F(ModuleStoreTest, TheStateFolderFollowsTheEnvironment) {
  const std::string before = std::getenv("XDG_CACHE_HOME") ? std::getenv("XDG_CACHE_HOME") : "";
  ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(ModuleStore::default_state_folder(), "/somewhere/freshet");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_NE(ModuleStore::default_state_folder(), "relative/freshet");
  if (before.empty())
    ::unsetenv("XDG_CACHE_HOME");
  else
    ::setenv("XDG_CACHE_HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace freshet::core
