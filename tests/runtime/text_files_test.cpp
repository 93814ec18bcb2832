// Lines of files: each exactly once, whatever the splits.
#include "freshet/text_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

class TextFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "freshet-lines-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::vector<std::string> lines_of(const std::string& path, std::uint64_t split_size,
                                    const Way& way = {true, true, 0, 3}) {
    auto env = way.environment();
    return env.from_source(detail::TextFileSource{path, split_size}, "lines")
        .map([](std::string_view line) { return std::string(line); })
        .execute_and_collect()
        .to_vector();
  }

  std::string folder_;
};

// The oracle: a line is what stands before each \n, and behind the last one if that is not empty.
std::vector<std::string> lines_in(const std::string& bytes) {
  std::vector<std::string> lines;
  std::string line;
  for (const char byte : bytes) {
    if (byte == '\n') {
      lines.push_back(std::exchange(line, {}));
    } else {
      line.push_back(byte);
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::string random_text(std::uint64_t seed) {
  static const char* const kEnds[] = {"\n", "\r\n", "\n\n", "\n\r"};
  std::string text;
  const std::uint64_t lines = mixed(seed) % 40;
  for (std::uint64_t i = 0; i < lines; ++i) {
    const std::uint64_t size = mixed(seed * 100 + i) % (i % 5 == 0 ? 200 : 12);
    for (std::uint64_t k = 0; k < size; ++k) {
      const char byte = static_cast<char>(mixed(seed * 10'000 + i * 200 + k));
      text.push_back(byte == '\n' ? '\0' : byte);
    }
    text += kEnds[mixed(seed + i) % 4];
  }
  if (seed % 3 == 0) text += "no end";
  return text;
}

TEST_F(TextFiles, EveryLineComesOnceWhateverTheSplits) {
  const int rounds = scaled(400, 30);
  for (int round = 0; round < rounds; ++round) {
    const auto seed = static_cast<std::uint64_t>(round);
    const std::string text = random_text(seed);
    const std::string path = write("file", text);
    const std::uint64_t split = 1 + mixed(seed + 7) % (round % 2 ? 10 : 300);
    const Way way{round % 3 != 0, true, round % 4 ? 0 : 1, 1 + round % 8};
    ASSERT_TRUE(sorted(lines_of(path, split, way)) == sorted(lines_in(text)))
        << "seed " << seed << ", splits of " << split << " bytes, " << way.text();
  }
}

TEST_F(TextFiles, ASplitIsReadInTheOrderOfItsLines) {
  const std::string text = random_text(11) + random_text(12);
  EXPECT_EQ(lines_of(write("file", text), 1'000'000, Way{}), lines_in(text));
  EXPECT_EQ(lines_of(write("file", text), 5, Way{}), lines_in(text));  // splits in turn
}

TEST_F(TextFiles, EdgesOfSplitsAtEdgesOfLines) {
  for (const std::string& text :
       {std::string("abc\ndef\nghi\n"), std::string("\n\n\n\n"), std::string("\r\n\r\n"),
        std::string("abc\ndef\nghi"), std::string("x"), std::string("\n"), std::string(),
        std::string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb"), std::string("a\0b\n\xff\xfe\n", 7)}) {
    const std::string path = write("file", text);
    for (std::uint64_t split = 1; split <= text.size() + 2; ++split) {
      EXPECT_EQ(lines_of(path, split, Way{}), lines_in(text)) << "splits of " << split;
    }
  }
}

TEST_F(TextFiles, RelativePathsBeginWhereMainWorks) {
  const std::string before = std::filesystem::current_path().native();
  const std::string here = folder_ + "/a[b]*";
  std::filesystem::create_directory(here);
  write("a[b]*/notes.txt", "one\n");
  std::filesystem::current_path(here);
  for (const auto& [given, whole] :
       std::vector<std::pair<std::string, std::string>>{{"notes.txt", here + "/notes.txt"},
                                                        {"./notes.txt", here + "/notes.txt"},
                                                        {"../notes", here + "/../notes"},
                                                        {"/notes", "/notes"},
                                                        {"s3://notes", "s3://notes"},
                                                        {"", ""}})
    EXPECT_EQ(detail::absolute_path(given), whole);
  const std::vector<std::string> patterns{detail::absolute_pattern("*.txt"),
                                          detail::absolute_pattern("notes.txt")};
  std::filesystem::current_path(before);
  for (const std::string& pattern : patterns)
    EXPECT_EQ(detail::splits_of(pattern, 1000, 1000, 1).size(), 1u) << pattern;
}

TEST_F(TextFiles, LinesAcrossTheBlocksThatAreRead) {
  std::string text;
  for (std::uint64_t i = 0; text.size() < 1'500'000; ++i) {
    text +=
        std::string(mixed(i) % (i % 50 == 0 ? 300'000 : 3'000), 'a' + static_cast<char>(i % 26));
    text += '\n';
  }
  const std::string path = write("file", text);
  const auto expected = sorted(lines_in(text));
  for (const std::uint64_t split : {100'000u, 262'144u, 262'145u, 5'000'000u}) {
    EXPECT_TRUE(sorted(lines_of(path, split)) == expected) << "splits of " << split;
  }
}

TEST_F(TextFiles, ALineOfAHundredMegabytesIsOneRecord) {
  const auto size = static_cast<std::size_t>(scaled(100'000'000, 2'000'000));
  {
    std::ofstream file(folder_ + "/file", std::ios::binary);
    file << "before\n" << std::string(size, '\x80') << "\nafter";
  }
  for (const bool fusion : {true, false}) {
    for (const bool exchange : {false, true}) {
      auto env = Way{fusion, true, 0, 2}.environment();
      auto lines = env.read_text(folder_ + "/file");
      const auto measure = [](auto stream) {
        return stream
            .map([](std::string_view line) {
              return std::pair<std::uint64_t, bool>(
                  line.size(), line == "before" || line == "after" ||
                                   line.find_first_not_of('\x80') == std::string_view::npos);
            })
            .execute_and_collect()
            .to_vector();
      };
      const auto sizes = exchange ? measure(lines.rebalance()) : measure(lines);
      EXPECT_EQ(sorted(sizes),
                (std::vector<std::pair<std::uint64_t, bool>>{{5, true}, {6, true}, {size, true}}));
    }
  }
}

TEST_F(TextFiles, AFolderAndAPatternHaveTheLinesOfTheirFiles) {
  std::vector<std::string> all, some;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const std::string text = random_text(i * 5);
    write((i % 2 ? "odd-" : "even-") + std::to_string(i) + ".txt", text);
    for (const std::string& line : lines_in(text)) {
      all.push_back(line);
      if (i % 2) some.push_back(line);
    }
  }
  write(".hidden", "not to be seen\n");
  write("_SUCCESS", "nor this\n");
  std::filesystem::create_directory(folder_ + "/folder");
  write("folder/inner", "nor this\n");
  EXPECT_EQ(sorted(lines_of(folder_, 64)), sorted(all));
  EXPECT_EQ(sorted(lines_of(folder_ + "/odd-*.txt", 64)), sorted(some));
}

// One rule for a folder and for a pattern of all that is in it.
TEST_F(TextFiles, APatternOfAllInAFolderIsWhatTheFolderIs) {
  write("a", "in a\n");
  write("b", "in b\n");
  write("_SUCCESS", "a mark\n");
  write(".hidden", "not to be seen\n");
  std::filesystem::create_directory(folder_ + "/folder");
  write("folder/inner", "inner\n");
  const std::vector<std::string> all{"in a", "in b"};
  EXPECT_EQ(sorted(lines_of(folder_, 64)), all);
  EXPECT_EQ(sorted(lines_of(folder_ + "/*", 64)), all);
  EXPECT_EQ(lines_of(folder_ + "/_*", 64), std::vector<std::string>{"a mark"});
  EXPECT_EQ(lines_of(folder_ + "/_SUCCESS", 64), std::vector<std::string>{"a mark"});
  EXPECT_EQ(lines_of(folder_ + "/*/*", 64), std::vector<std::string>{"inner"});
  EXPECT_EQ(lines_of(folder_ + "/folder", 64), std::vector<std::string>{"inner"});
  // Nor are folders entered that a pattern does not name.
  std::filesystem::create_directory(folder_ + "/_attempt");
  write("_attempt/part", "of an attempt\n");
  EXPECT_EQ(lines_of(folder_ + "/*/*", 64), std::vector<std::string>{"inner"});
  EXPECT_EQ(lines_of(folder_ + "/_*/p*", 64), std::vector<std::string>{"of an attempt"});
}

TEST_F(TextFiles, APatternOfAllInAFolderThatHasNoFilesToReadIsAnEmptyInputAsTheFolderIs) {
  for (const char* path : {"", "/*"}) EXPECT_TRUE(lines_of(folder_ + path, 64).empty()) << path;
  write("_SUCCESS", "a mark\n");
  std::filesystem::create_directory(folder_ + "/folder");
  for (const char* path : {"", "/*", "/*/*"})
    EXPECT_TRUE(lines_of(folder_ + path, 64).empty()) << path;
}

TEST_F(TextFiles, WhatTheKernelMakesWhenItIsReadHasItsLines) {
  for (const char* path : {"/proc/self/limits", "/proc/version"}) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(text.empty()) << path;
    EXPECT_EQ(lines_of(path, 64).size(), lines_in(text).size()) << path;
  }
}

// How much of the file each split reads: its own bytes and a block or two, however long the lines.
TEST_F(TextFiles, ASplitInsideALineReadsNoFurtherThanItsEnd) {
  constexpr std::uint64_t kSize = std::uint64_t{64} << 20, kSplit = std::uint64_t{1} << 20;
  const std::string path = write("file", std::string(kSize - 1, 'x') + "\n");
  const auto bytes_read = [] {
    std::ifstream file("/proc/self/io");
    std::string name;
    std::uint64_t count = 0;
    file >> name >> count;
    return count;
  };
  if (bytes_read() == 0) GTEST_SKIP() << "this kernel does not count what is read";
  detail::LineBlocks blocks;
  const std::uint64_t before = bytes_read();
  for (std::uint64_t begin = kSplit; begin < kSize; begin += kSplit) {
    blocks.open({path, begin, begin + kSplit});
    EXPECT_TRUE(blocks.ended()) << "no line begins at " << begin;
  }
  EXPECT_LT(bytes_read() - before, 3 * kSize);
}

TEST_F(TextFiles, ASmallInputIsSplitForAllOfItsReaders) {
  constexpr std::uint64_t kKilobyte = 1024, kMegabyte = kKilobyte * kKilobyte;
  const auto sizes = [&](std::uint64_t bytes, std::uint32_t parallelism) {
    const std::string path = write("file", "");
    std::filesystem::resize_file(path, bytes);
    std::vector<std::uint64_t> all;
    std::uint64_t at = 0;
    for (const FileSplit& split :
         detail::splits_of(path, 16 * kMegabyte, 64 * kKilobyte, parallelism)) {
      EXPECT_EQ(split.begin, at);
      at = split.end;
      all.push_back(split.end - split.begin);
    }
    EXPECT_EQ(at, bytes);
    return all;
  };
  EXPECT_EQ(sizes(15'900'000, 3).size(), 12u) << "four for each";
  EXPECT_EQ(sizes(15'900'000, 1).size(), 4u);
  EXPECT_EQ(sizes(100 * kKilobyte, 3), (std::vector<std::uint64_t>{64 * kKilobyte, 36 * kKilobyte}))
      << "no smaller than the least";
  EXPECT_EQ(sizes(1'000 * kMegabyte, 2).front(), 16 * kMegabyte) << "no larger than the most";
  EXPECT_TRUE(sizes(0, 3).empty());
}

TEST_F(TextFiles, SizesOfSplitsAreOptionsThatMustFitEachOther) {
  Configuration configuration = Way{}.configuration();
  configuration.set_raw("read-text.min-split-size", "32m", Origin::main());
  auto with_options = StreamExecutionEnvironment::get_execution_environment(configuration);
  try {
    with_options.read_text(folder_);
    FAIL() << "it is taken";
  } catch (const InvalidInput& refused) {
    EXPECT_NE(std::string(refused.what()).find("is above read-text.max-split-size"),
              std::string::npos)
        << refused.what();
  }
}

TEST_F(TextFiles, WhatCannotBeReadFailsTheJobByName) {
  write("file", "line\n");
  const auto message = [&](const std::string& path) -> std::string {
    auto env = Way{}.environment();
    env.read_text(path).discard();
    try {
      env.execute();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message(folder_ + "/nothing").find(folder_ + "/nothing"), std::string::npos);
  EXPECT_NE(message(folder_ + "/*.csv").find("*.csv"), std::string::npos);
  EXPECT_NE(message(folder_ + "/no*/*").find("no folder matches"), std::string::npos);
  std::filesystem::create_directory(folder_ + "/_hidden");
  write("_hidden/part", "line\n");
  EXPECT_NE(message(folder_ + "/*/p*").find("no file matches"), std::string::npos);
  EXPECT_NE(message("/dev/null").find("/dev/null"), std::string::npos);
  std::filesystem::create_directory(folder_ + "/folder");
  EXPECT_NE(message(folder_ + "/f*r").find("only folders such as '" + folder_ + "/folder'"),
            std::string::npos);
}

TEST_F(TextFiles, AFolderWithoutLinesIsAnEmptyInput) {
  EXPECT_TRUE(lines_of(folder_, 64).empty());
  write("empty", "");
  EXPECT_TRUE(lines_of(folder_, 64).empty());
}

// ---- the standard input ----------------------------------------------------------------------

// Gives this process the reading end of a pipe as its standard input.
class Piped {
 public:
  Piped() : saved_(::dup(STDIN_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    writer_ = ends[1];
  }
  ~Piped() {
    end();
    if (saved_ >= 0) {
      ::dup2(saved_, STDIN_FILENO);
      ::close(saved_);
    } else {
      ::close(STDIN_FILENO);
    }
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(writer_, bytes.data(), bytes.size());
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void end() {
    if (writer_ >= 0) ::close(std::exchange(writer_, -1));
  }

 private:
  int saved_;
  int writer_;
};

TEST(StandardInput, GivesItsLinesInOrder) {
  for (const bool fusion : {true, false}) {
    Piped input;
    std::string text;
    for (std::uint64_t seed = 0; seed < 20; ++seed) text += random_text(seed);
    std::thread writer([&] {
      for (std::size_t at = 0; at < text.size(); at += 97) {
        input.write(std::string_view(text).substr(at, 97));
      }
      input.end();
    });
    auto env = Way{fusion, true, 0, 2}.environment();
    const auto lines = env.read_standard_input()
                           .map([](std::string_view line) { return std::string(line); })
                           .set_parallelism(1)
                           .execute_and_collect()
                           .to_vector();
    writer.join();
    EXPECT_EQ(lines, lines_in(text));
  }
}

TEST(StandardInput, ALongLineIsOneRecord) {
  Piped input;
  const auto size = static_cast<std::size_t>(scaled(100'000'000, 1'000'000));
  std::thread writer([&] {
    input.write(std::string(size, 'x'));
    input.write("\nend\n");
    input.end();
  });
  auto env = Way{}.environment();
  const auto sizes = env.read_standard_input()
                         .map([](std::string_view line) { return line.size(); })
                         .execute_and_collect()
                         .to_vector();
  writer.join();
  EXPECT_EQ(sizes, (std::vector<std::size_t>{size, 3}));
}

TEST(StandardInput, ALineIsHandedOnWhenItHasComeAndACancelIsHeard) {
  Piped input;
  input.write("first\nsec");
  auto env = Way{}.environment();
  auto lines = env.read_standard_input()
                   .map([](std::string_view line) { return std::string(line); })
                   .execute_and_collect();
  EXPECT_EQ(lines.next(), "first");
  input.write("ond\n");
  EXPECT_EQ(lines.next(), "second");
  input.write("a beginning");
  lines.client().cancel().get();
  ASSERT_TRUE(lines.client().result().wait_for(10'000));
  EXPECT_EQ(lines.client().result().get().status, JobStatus::kCanceled);
}

}  // namespace
}  // namespace freshet::testing
