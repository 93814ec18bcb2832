// Plugins that find libraries beside themselves: `missing_library` calls `from_elsewhere`, which
// libfreshet-test-elsewhere.so gives it.
#include "shared_objects/load_tree.h"

#include <dlfcn.h>

#include <atomic>
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
namespace fs = std::filesystem;

constexpr const char* kLibrary = "libfreshet-test-elsewhere.so";
constexpr const char* kRunPath = "$ORIGIN/:$ORIGIN/../../../sdk";

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  std::size_t found = 0;
  for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; ++found)
    bytes.replace(at, to.size(), to);
  EXPECT_GT(found, 0u) << from;
  return bytes;
}

// Both under a name that nobody has loaded yet: the loader takes what it has.
struct Pair {
  explicit Pair(const std::string& run_path = "$ORIGIN") {
    static int last = 0;
    const std::string number = std::to_string(10000 + ++last);
    name = "libfreshet-test-else" + number + ".so";
    library = replaced(test_modules::content(test_modules::path("libfreshet-test-elsewhere")),
                       kLibrary, name);
    std::string padded = run_path;
    padded.resize(std::string(kRunPath).size(), '\0');
    plugin = replaced(
        replaced(test_modules::content(test_modules::path("missing_library")), kLibrary, name),
        kRunPath, padded);
  }
  std::string name, library, plugin;
};

int called(const freshet_plugin_v1& entry) {
  return reinterpret_cast<int (*)()>(entry.create(nullptr, 0))();
}

std::string name_of(const void* address) {
  Dl_info found{};
  EXPECT_NE(::dladdr(address, &found), 0);
  return found.dli_fname;
}

const freshet_plugin_v1& load(const fs::path& file) {
  return load_shared_object(read_compatible_file(file));
}

// Its folders are made here, and none is left.
class LoadTreeTest : public ::testing::Test {
 protected:
  LoadTreeTest() { ::setenv("TMPDIR", folders_.path().c_str(), 1); }
  ~LoadTreeTest() override {
    ::unsetenv("TMPDIR");
    for (const auto& left : fs::directory_iterator(folders_.path()))
      ADD_FAILURE() << left.path() << " is left";
  }

 private:
  const ScratchFolder folders_;  // made before TMPDIR is set
};

TEST_F(LoadTreeTest, APluginIsLoadedWithTheLibraryBesideIt) {
  const ScratchFolder folder;
  const Pair pair;
  const fs::path library = folder.write(pair.name, pair.library);
  const fs::path file = folder.write("needy.so", pair.plugin);
  const freshet_plugin_v1& entry = load(file);
  EXPECT_EQ(called(entry), 7);
  EXPECT_EQ(name_of(&entry), file.native());
  EXPECT_EQ(name_of(entry.create(nullptr, 0)), library.native());
}

TEST_F(LoadTreeTest, TheRunPathMayLeadToAnotherFolderAndThroughALink) {
  const ScratchFolder folder;
  const Pair pair("${ORIGIN}/none:$ORIGIN/../l");
  fs::create_directories(folder / "real/plugins");
  fs::create_directory(folder / "real/l");
  fs::create_directory_symlink("real/plugins", folder / "link");
  folder.write("real/l/" + pair.name, pair.library);
  folder.write("real/plugins/needy.so", pair.plugin);
  const freshet_plugin_v1& entry = load(folder / "link/needy.so");
  EXPECT_EQ(called(entry), 7);
  EXPECT_EQ(name_of(&entry), folder / "link/needy.so");
  EXPECT_TRUE(fs::equivalent(name_of(entry.create(nullptr, 0)), folder / ("real/l/" + pair.name)));
}

// Gives the first entry of one tag in the dynamic segment another tag.
std::string retagged(std::string bytes, std::int64_t from, std::int64_t to) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_DYNAMIC) continue;
    for (std::size_t at = segment.p_offset; at < segment.p_offset + segment.p_filesz;
         at += sizeof(Elf64_Dyn)) {
      std::int64_t tag;
      std::memcpy(&tag, bytes.data() + at, sizeof tag);
      if (tag != from) continue;
      std::memcpy(bytes.data() + at, &to, sizeof to);
      return bytes;
    }
  }
  ADD_FAILURE() << "no entry " << from;
  return bytes;
}

// The plugin needs a library which needs another; each has names of its own.
struct Chain {
  Chain() {
    static int last = 0;
    const std::string number = std::to_string(10000 + ++last);
    near = "libfreshet-test-near" + number + ".so";
    far = "libfreshet-test-fa" + number + ".so";
    near_bytes =
        replaced(replaced(test_modules::content(test_modules::path("libfreshet-test-gofarther")),
                          "libfreshet-test-gofarther.so", near),
                 "libfreshet-test-farther.so", far);
    far_bytes = replaced(test_modules::content(test_modules::path("libfreshet-test-farther")),
                         "libfreshet-test-farther.so", far);
    plugin = replaced(test_modules::content(test_modules::path("missing_library")), kLibrary, near);
  }
  std::string near, near_bytes, far, far_bytes, plugin;
};

TEST_F(LoadTreeTest, ALibraryBesideItFindsItsOwnBesideItself) {
  const ScratchFolder folder;
  const Chain chain;
  folder.write(chain.near, chain.near_bytes);
  const fs::path file = folder.write("needy.so", chain.plugin);
  const std::string text = error_of<RefusedFile>([&] { load(file); });
  EXPECT_TRUE(contains(text, chain.far + ": cannot open shared object file")) << text;
  folder.write(chain.far, "no library");
  EXPECT_TRUE(contains(
      error_of<RefusedFile>([&] { load(file); }),
      "needs the library " + (folder / chain.far).native() + ", which is not an ELF file"));
  folder.write(chain.far, chain.far_bytes);
  EXPECT_EQ(called(load(file)), 9);
}

TEST_F(LoadTreeTest, ARunPathOfTheOldKindAlsoHoldsForTheLibrariesLibraries) {
  const ScratchFolder folder;
  const Chain chain;
  folder.write(chain.near, retagged(chain.near_bytes, DT_RUNPATH, DT_DEBUG));
  folder.write(chain.far, chain.far_bytes);
  EXPECT_EQ(called(load(folder.write("needy.so", retagged(chain.plugin, DT_RUNPATH, DT_RPATH)))),
            9);
  const Chain other;
  folder.write(other.near, retagged(other.near_bytes, DT_RUNPATH, DT_DEBUG));
  folder.write(other.far, other.far_bytes);
  const fs::path file = folder.write("other.so", other.plugin);
  EXPECT_TRUE(contains(error_of<RefusedFile>([&] { load(file); }), other.far + ": cannot open"));
}

TEST_F(LoadTreeTest, AnUndefinedSymbolIsFoundBeforeTheLibraryBesideItRuns) {
  const ScratchFolder folder;
  const Pair pair;
  // The library is a plugin that leaves a marker; it does not define what is called.
  const std::string marking = test_modules::content(test_modules::path("alpha"));
  folder.write(pair.name, marking);
  const fs::path file = folder.write("needy.so", pair.plugin);
  const Marker marker(folder);
  const std::string text = error_of<RefusedFile>([&] { load(file); });
  EXPECT_TRUE(contains(text, "the loader refuses it: " + file.native() +
                                 ": undefined symbol: "
                                 "from_elsewhere"))
      << text;
  EXPECT_FALSE(marker.is_there());
}

// The plugin and its library are replaced again and again, the library also by one that is refused
// and that the loader would find without what is called: what was judged is what is loaded.
TEST_F(LoadTreeTest, WhileFilesAreReplacedOnlyWhatWasJudgedIsLoaded) {
  const ScratchFolder folder;
  const std::string bad = test_modules::content(test_modules::path("own_contexts"));
  const fs::path file = folder / "x.so";
  int refused = 0;
  for (int round = 0; round < freshet::testing::scaled(80, 20) || refused == 0; ++round) {
    if (::testing::Test::HasFailure()) break;
    const Pair pair;  // of its own: the loader takes a library of a known name from the process
    const std::string plugins[] = {
        pair.plugin, replaced(pair.plugin, std::string("needy\0", 6), std::string("other\0", 6))};
    fs::rename(folder.write("next", plugins[0]), file);  // the one before is loaded
    const fs::path library = folder.write(pair.name, pair.library);
    std::atomic<bool> over{false};
    std::atomic<int> turn{0};
    std::thread replacing([&] {
      while (!over && turn < 99) {  // then it can't but be loaded
        ++turn;
        fs::rename(folder.write("next", plugins[turn % 2]), file);
        fs::rename(folder.write("next", turn % 3 == 1 ? bad : pair.library), library);
      }
    });
    while (turn < 2) std::this_thread::yield();
    for (bool loaded = false; !loaded && !::testing::Test::HasFailure();) try {
        const PluginFile read = read_compatible_file(file);
        const freshet_plugin_v1& entry = load_shared_object(read);
        loaded = true;
        EXPECT_EQ(entry.name, read.identity.name);
        EXPECT_EQ(called(entry), 7);
        EXPECT_EQ(name_of(&entry), file.native());
        EXPECT_EQ(name_of(entry.create(nullptr, 0)), library.native());
      } catch (const RefusedFile& refusal) {
        ++refused;
        EXPECT_TRUE(contains(refusal.what(), "was replaced") ||
                    contains(refusal.what(), "Boost.Context of its own"))
            << refusal.what();
      }
    over = true;
    replacing.join();
  }
}

}  // namespace
}  // namespace freshet::core
