// The pages for users and plugin authors: their code is code that is compiled and run, their links
// lead somewhere.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fr_run.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
}

// Lines without their indentation, each with its end.
std::string unindented(const std::string& text) {
  std::string lines = "\n";
  for (const std::string& line : lines_of(text)) lines += trimmed(line) + "\n";
  return lines;
}

struct Block {
  std::string page;
  std::size_t line;
  std::string text;
};

std::vector<Block> blocks_of(const fs::path& page) {
  std::vector<Block> blocks;
  bool inside = false;
  std::size_t number = 0;
  for (const std::string& line : lines_of(text_of_file(page))) {
    ++number;
    if (!inside && line.rfind("```cpp", 0) == 0) {
      inside = true;
      blocks.push_back({page.filename(), number, ""});
    } else if (inside && line.rfind("```", 0) == 0) {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

// Whether the block's paragraphs are whole lines of one of the sources, one paragraph after
// another.
bool is_part_of(const Block& block, const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    std::size_t at = 0;
    std::string paragraph = "\n";
    bool found = true;
    for (const std::string& line : lines_of(block.text + "\n")) {
      if (!trimmed(line).empty()) {
        paragraph += trimmed(line) + "\n";
      } else if (paragraph.size() > 1) {
        at = source.find(paragraph, at);
        if (at == std::string::npos) {
          found = false;
          break;
        }
        paragraph = "\n";
      }
    }
    if (found) return true;
  }
  return false;
}

class UserPages : public ::testing::Test {
 protected:
  UserPages() {
    for (const char* folder : {"docs", "docs/users", "docs/plugin-authors"}) {
      for (const auto& entry : fs::directory_iterator(root_ / folder)) {
        if (entry.path().extension() == ".md") pages_.push_back(entry.path());
      }
    }
    for (const char* folder : {"samples", "docs/snippets", "plugins", "tools/fr/templates"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
        const fs::path kind = entry.path().extension();
        if (kind == ".cpp" || kind == ".h")
          sources_.push_back(unindented(text_of_file(entry.path())));
      }
    }
  }

  const fs::path root_ = path_from("FRESHET_SOURCE_ROOT");
  std::vector<fs::path> pages_;
  std::vector<std::string> sources_;
};

TEST_F(UserPages, ShowOnlyCodeThatIsCompiled) {
  std::size_t blocks = 0;
  for (const fs::path& page : pages_) {
    for (const Block& block : blocks_of(page)) {
      ++blocks;
      EXPECT_TRUE(is_part_of(block, sources_))
          << block.page << ":" << block.line
          << ": not in samples/, docs/snippets/, plugins/ or tools/fr/templates/:\n"
          << block.text;
    }
  }
  EXPECT_GE(blocks, 10U);
}

TEST_F(UserPages, CodeThatIsNowhereIsFound) {
  EXPECT_FALSE(is_part_of({"page", 1, "env.no_such_call();\n"}, sources_));
  EXPECT_FALSE(is_part_of({"page", 1, "auto env\n"}, sources_)) << "part of a line";
}

TEST_F(UserPages, LinkToFilesThatExist) {
  for (const fs::path& page : pages_) {
    std::string text;
    bool code = false;
    for (const std::string& line : lines_of(text_of_file(page))) {
      if (line.rfind("```", 0) == 0) code = !code;
      if (!code) text += line + "\n";
    }
    for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
      at += 2;
      std::string target = text.substr(at, text.find(')', at) - at);
      target = target.substr(0, target.find('#'));
      if (target.empty() || target.rfind("http", 0) == 0) continue;
      EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page.filename() << ": " << target;
    }
  }
}

// What a page for users or authors names of the sources, it says is there: the pages are installed.
TEST_F(UserPages, WorkFromWhatIsInstalledOrSaySo) {
  for (const fs::path& page : pages_) {
    std::string paragraph;
    for (const std::string& line : lines_of(text_of_file(page) + "\n\n")) {
      if (!line.empty()) {
        paragraph += line + " ";
        continue;
      }
      for (const char* of_the_sources :
           {"./dev", "build/release", "`plugins/", "`tests/", "`core/"}) {
        EXPECT_TRUE(paragraph.find(of_the_sources) == std::string::npos ||
                    paragraph.find("sources of Freshet") != std::string::npos)
            << page.filename() << " names '" << of_the_sources
            << "' and does not say that it is in the sources of Freshet: " << paragraph;
      }
      paragraph.clear();
    }
  }
}

TEST_F(UserPages, SnippetsRun) {
  const FrRun fr_run;
  const Outcome api =
      fr_run.local(path_from("FRESHET_TEST_SNIPPETS_API"), {(root_ / "docs/users/*.md").string()});
  EXPECT_EQ(api.code, 0) << api.text();
  EXPECT_NE(api.output.find("/news\n"), std::string::npos) << api.text();

  const Outcome client =
      run({path_from("FRESHET_TEST_SNIPPETS_JOB_CLIENT")}, fr_run.surroundings());
  EXPECT_EQ(client.code, 0) << client.text();
  EXPECT_NE(client.output.find("finished after "), std::string::npos) << client.text();
  EXPECT_NE(client.output.find("map failed: stoi\n"), std::string::npos) << client.text();
}

}  // namespace
