// samples/word_count as people run it, against a count made here, word by word.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "fr_run.h"
#include "rows.h"

namespace {

using namespace freshet::testing;

using Counts = std::map<std::string, long>;

void count_words(const std::string& text, Counts& counts) {
  std::string word;
  for (const char byte : text + "\n") {
    const bool upper = byte >= 'A' && byte <= 'Z';
    if (upper || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_') {
      word += upper ? static_cast<char>(byte - 'A' + 'a') : byte;
    } else if (!word.empty()) {
      ++counts[word];
      word.clear();
    }
  }
}

std::vector<std::string> rows_of(const Counts& counts) {
  std::vector<std::string> rows;
  for (const auto& [word, count] : counts) rows.push_back(word + "\t" + std::to_string(count));
  return sorted(rows);
}

class WordCount : public ::testing::Test {
 protected:
  Outcome count(const std::string& input, std::vector<std::string> flags = {},
                std::vector<std::string> arguments = {}) const {
    flags.insert(flags.begin(), {path_from("FRESHET_TEST_WORD_COUNT"), "--target=local"});
    flags.insert(flags.end(), {"--input", input});
    flags.insert(flags.end(), arguments.begin(), arguments.end());
    return fr_run_(flags);
  }
  // Rows written by `parallelism` subtasks.
  std::vector<std::string> rows(const std::string& input, int parallelism,
                                std::vector<std::string> flags = {}) const {
    const std::string output = folder_ / ("out-" + std::to_string(++outputs_));
    flags.push_back("--parallelism=" + std::to_string(parallelism));
    const Outcome outcome = count(input, flags, {"--output", output});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors, "");
    return sorted_rows(output, parallelism);
  }

  ScratchFolder folder_;
  FrRun fr_run_;
  mutable int outputs_ = 0;
};

TEST_F(WordCount, CountsTheLicensesOfThisMachineAtAnyParallelism) {
  const std::string licenses = "/usr/share/common-licenses";
  Counts counts;
  for (const auto& entry : std::filesystem::directory_iterator(licenses)) {
    if (entry.is_regular_file()) count_words(text_of_file(entry.path()), counts);
  }
  ASSERT_GT(counts.size(), 1'000U);
  const auto expected = rows_of(counts);
  for (int parallelism = 1; parallelism <= 8; ++parallelism) {
    EXPECT_EQ(rows(licenses, parallelism), expected) << parallelism;
  }
  EXPECT_EQ(rows(licenses, 2, {"-Dpipeline.fusion=false"}), expected);
  EXPECT_EQ(rows(licenses, 2, {"-Dpipeline.operator-chaining=false"}), expected);
}

TEST_F(WordCount, TakesAFileAFolderOrAPattern) {
  folder_.write("in/a.txt", "one two two");
  folder_.write("in/b.txt", "Two,three\n");
  folder_.write("in/c.log", "log\r\nLOG log_\n");
  folder_.write("in/.hidden.txt", "hidden");
  folder_.write("in/_marker", "marker");
  folder_.write("in/deeper/d.txt", "deeper");
  EXPECT_EQ(rows(folder_ / "in/a.txt", 1), (std::vector<std::string>{"one\t1", "two\t2"}));
  EXPECT_EQ(rows(folder_ / "in", 2),
            (std::vector<std::string>{"log\t2", "log_\t1", "one\t1", "three\t1", "two\t3"}));
  EXPECT_EQ(rows(folder_ / "in/*.txt", 3),
            (std::vector<std::string>{"one\t1", "three\t1", "two\t3"}));
  EXPECT_EQ(rows(folder_ / "in/[bc].*", 1),
            (std::vector<std::string>{"log\t2", "log_\t1", "three\t1", "two\t1"}));
}

TEST_F(WordCount, CountsAnyBytes) {
  std::mt19937 random(7);
  std::string text;
  // Few letters, so that words repeat; all other bytes separate.
  const std::string letters = "abAB_1";
  for (int i = 0; i < 400'000; ++i) {
    text += random() % 3 ? letters[random() % letters.size()] : static_cast<char>(random());
  }
  Counts counts;
  count_words(text, counts);
  const std::string file = folder_.write("bytes", text);
  for (const int parallelism : {1, 3}) EXPECT_EQ(rows(file, parallelism), rows_of(counts));
}

TEST_F(WordCount, GivesNothingForEmptyInput) {
  EXPECT_TRUE(rows(folder_.write("empty", ""), 1).empty());
  EXPECT_TRUE(rows(folder_.write("separators", "\n\n .,;\n"), 4).empty());
  std::filesystem::create_directory(folder_ / "no-files");
  EXPECT_TRUE(rows(folder_ / "no-files", 2).empty());
}

TEST_F(WordCount, CountsASingleWordWithoutALineEnd) {
  EXPECT_EQ(rows(folder_.write("one", "Word"), 8), std::vector<std::string>{"word\t1"});
}

TEST_F(WordCount, PrintsRowsWithoutAnOutputFolder) {
  const Outcome outcome = count(folder_.write("in", "b a b"));
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(sorted(lines_of(outcome.output)), (std::vector<std::string>{"a\t1", "b\t2"}));
}

TEST_F(WordCount, EndsWithTheSameCountsWhenEachUpdateIsARow) {
  const std::string file = folder_.write("in", "a b a\nc a b\n");
  const Outcome outcome = count(file, {"-Dexecution.runtime-mode=streaming"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const auto updates = lines_of(outcome.output);
  EXPECT_EQ(updates.size(), 6U) << outcome.text();
  std::map<std::string, std::string> last;
  for (const std::string& row : updates) {
    last[row.substr(0, row.find('\t'))] = row.substr(row.find('\t') + 1);
  }
  EXPECT_EQ(last, (std::map<std::string, std::string>{{"a", "3"}, {"b", "2"}, {"c", "1"}}));
}

TEST_F(WordCount, RefusesFlagsThatItDoesNotKnow) {
  for (const auto& [arguments, expected] : std::map<std::vector<std::string>, std::string>{
           {{"--inptu", "x"}, "word_count: there is no flag '--inptu'"},
           {{"--output"}, "word_count: no value after '--output'"}}) {
    const Outcome outcome = fr_run_.local(path_from("FRESHET_TEST_WORD_COUNT"), arguments);
    EXPECT_EQ(outcome.code, 64) << outcome.text();
    const std::string told = expected + ": flags are --input PATH and --output FOLDER\n";
    EXPECT_EQ(outcome.errors, told);
    EXPECT_EQ(outcome.output, "");
  }
}

}  // namespace
