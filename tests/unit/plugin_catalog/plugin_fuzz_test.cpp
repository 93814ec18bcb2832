// Good modules with bytes changed: the reader accepts or refuses. It never crashes, hangs or reads
// out of bounds (the sanitizer builds would tell), and what it accepts is well-formed.
#include <fcntl.h>

#include <random>
#include <set>

#include "scale.h"
#include "shared_objects/judged_file.h"
#include "shared_objects/shared_object.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::Marker;
using test_modules::ScratchFolder;

// A module in a file, some of whose bytes are changed and put back.
class Changing {
 public:
  Changing(const ScratchFolder& folder, const std::string& name)
      : whole_(test_modules::content(test_modules::path(name))),
        path_(folder.write(name + ".so", whole_)),
        descriptor_(::open(path_.c_str(), O_RDWR | O_CLOEXEC)) {
    find_places();
  }
  ~Changing() { ::close(descriptor_); }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::string& whole() const { return whole_; }

  void change(std::mt19937_64& random) {
    const std::size_t changes = 1 + random() % 5;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t at = place(random);
      switch (random() % 4) {
        case 0:  // a bit
          put(at, std::string(1, static_cast<char>(whole_[at] ^ (1 << random() % 8))));
          break;
        case 1:  // a byte
          put(at, std::string(1, static_cast<char>(random())));
          break;
        default:  // a number, at its own alignment
          put(at / 8 * 8 + random() % 2 * 4, number(random, random() % 2 == 0 ? 4 : 8));
          break;
      }
    }
    if (random() % 16 == 0) {
      ASSERT_EQ(::ftruncate(descriptor_, cut(random)), 0);
    }
  }

  void restore() {
    ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(whole_.size())), 0);
    for (const auto& [at, size] : changed_)
      ASSERT_EQ(::pwrite(descriptor_, whole_.data() + at, size, static_cast<off_t>(at)),
                static_cast<ssize_t>(size));
    changed_.clear();
    if (was_cut_) test_modules::write(path_, whole_);
    was_cut_ = false;
  }

 private:
  // What the reader looks at: headers, notes, tables for the loader, the names of symbols.
  void find_places() {
    Elf64_Ehdr header;
    std::memcpy(&header, whole_.data(), sizeof header);
    places_.push_back({0, sizeof header});
    places_.push_back({header.e_phoff, std::size_t{header.e_phnum} * sizeof(Elf64_Phdr)});
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
      Elf64_Shdr section;
      const std::size_t at = header.e_shoff + i * sizeof section;
      std::memcpy(&section, whole_.data() + at, sizeof section);
      constexpr std::uint32_t kRead[] = {SHT_NOTE, SHT_DYNAMIC,  SHT_DYNSYM,
                                         SHT_HASH, SHT_GNU_HASH, SHT_SYMTAB};
      for (const std::uint32_t type : kRead)
        if (section.sh_type == type && section.sh_size > 0) {
          places_.push_back({at, sizeof section});
          places_.push_back({section.sh_offset, section.sh_size});
        }
    }
  }

  std::size_t place(std::mt19937_64& random) const {
    if (random() % 8 == 0) return random() % whole_.size();
    const auto& [at, size] = places_[random() % places_.size()];
    return at + random() % size;
  }

  static std::string number(std::mt19937_64& random, std::size_t size) {
    constexpr std::uint64_t kEdges[] = {0,
                                        1,
                                        2,
                                        7,
                                        8,
                                        0x7fffffff,
                                        0x80000000,
                                        0xffffffff,
                                        0x100000000,
                                        0x7fffffffffffffff,
                                        0x8000000000000000,
                                        0xffffffffffffffff,
                                        0xfffffffffffffff8,
                                        1 << 20};
    std::uint64_t value = kEdges[random() % std::size(kEdges)];
    if (random() % 4 == 0) value = random() % 65536;
    if (random() % 4 == 0) value += random() % 64;
    return std::string(reinterpret_cast<const char*>(&value), size);
  }

  off_t cut(std::mt19937_64& random) {
    was_cut_ = true;
    return static_cast<off_t>(random() % whole_.size());
  }

  void put(std::size_t at, std::string bytes) {
    if (at >= whole_.size()) return;
    bytes.resize(std::min(bytes.size(), whole_.size() - at));
    ASSERT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
    changed_.emplace_back(at, bytes.size());
  }

  const std::string whole_;
  const std::filesystem::path path_;
  const int descriptor_;
  std::vector<std::pair<std::size_t, std::size_t>> places_, changed_;
  bool was_cut_ = false;
};

bool is_well_formed(const PluginFile& file) {
  const PluginKind* kind = find_kind(file.identity.kind);
  const auto shows = [](const std::string& text) { return printable(text, text.size()) == text; };
  return kind != nullptr && !kind->reserved && !file.identity.name.empty() &&
         shows(file.identity.name) && shows(file.identity.version) &&
         !file.identity.sdk_version.empty() && !file.identity.build_tag.empty() &&
         file.identity.name.size() < FRESHET_NAME_SIZE;
}

// The same seed, the same changes: a failure names seed, module and round.
class PluginFuzz : public ::testing::TestWithParam<const char*> {};

TEST_P(PluginFuzz, AChangedModuleIsAcceptedOrRefusedAndNeverRun) {
  const ScratchFolder folder;
  const Marker marker(folder);
  Changing module(folder, GetParam());
  std::set<std::string> ways;
  int refused = 0;
  const int rounds = freshet::testing::scaled(16000, 400);
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(round));
    std::mt19937_64 random(static_cast<std::uint64_t>(round));
    module.change(random);
    const CatalogEntry entry = judged_file(module.path());
    if (entry.state == CatalogEntry::State::kRefused) {
      ++refused;
      ASSERT_FALSE(entry.reason.empty());
      ASSERT_EQ(printable(entry.reason, entry.reason.size()), entry.reason);
      ways.insert(entry.reason.substr(0, 20));
    } else {
      ASSERT_TRUE(is_well_formed(entry.file)) << entry.file.identity.name;
    }
    module.restore();
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(judged_file(module.path()).state, CatalogEntry::State::kUsable);
  EXPECT_EQ(test_modules::content(module.path()), module.whole());
  EXPECT_FALSE(marker.is_there());
  EXPECT_GT(refused, rounds / 4);
  EXPECT_GT(ways.size(), 20u);
}

// A plugin, an application, and one with the other table of hashes.
INSTANTIATE_TEST_SUITE_P(Modules, PluginFuzz,
                         ::testing::Values("alpha", "count_arguments", "library"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace freshet::core
