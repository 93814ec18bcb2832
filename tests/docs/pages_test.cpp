// The pages: their code is code that is compiled and run, their links lead somewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
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
    if (!inside && line == "```cpp") {
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

std::string without_code_blocks(const fs::path& page) {
  std::string text;
  bool code = false;
  for (const std::string& line : lines_of(text_of_file(page))) {
    if (line.rfind("```", 0) == 0) code = !code;
    if (!code) text += line + "\n";
  }
  return text;
}

// What a link says after '#' to lead to a heading: GitHub's rule.
std::set<std::string> anchors_of(const fs::path& page) {
  std::set<std::string> anchors;
  for (const std::string& line : lines_of(without_code_blocks(page))) {
    if (line.empty() || line[0] != '#') continue;
    std::string anchor;
    for (const char c : trimmed(line.substr(line.find_first_not_of('#')))) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == ' ') {
        anchor += '-';
      } else if (std::isalnum(byte) != 0 || c == '-' || c == '_' || byte >= 0x80) {
        anchor += static_cast<char>(std::tolower(byte));
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

class Pages : public ::testing::Test {
 protected:
  Pages() {
    for (const char* folder : {"docs", "docs/users", "docs/plugin-authors"}) {
      add_pages(folder, installed_);
    }
    pages_ = installed_;
    for (const char* folder : {".", "docs/maintainers", "docs/api", "samples", "benchmarks"}) {
      add_pages(folder, pages_);
    }
    for (const char* folder : {"samples", "docs/snippets", "plugins", "tools/fr/templates"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
        const fs::path kind = entry.path().extension();
        if (kind == ".cpp" || kind == ".h")
          sources_.push_back(unindented(text_of_file(entry.path())));
      }
    }
  }

  void add_pages(const char* folder, std::vector<fs::path>& pages) {
    for (const auto& entry : fs::directory_iterator(root_ / folder)) {
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
    }
  }

  const fs::path root_ = path_from("FRESHET_SOURCE_ROOT");
  std::vector<fs::path> pages_;      // all
  std::vector<fs::path> installed_;  // those of users and plugin authors
  std::vector<std::string> sources_;
};

TEST_F(Pages, ShowOnlyCodeThatIsCompiled) {
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

TEST_F(Pages, CodeThatIsNowhereIsFound) {
  EXPECT_FALSE(is_part_of({"page", 1, "env.no_such_call();\n"}, sources_));
  EXPECT_FALSE(is_part_of({"page", 1, "auto env\n"}, sources_)) << "part of a line";
}

TEST_F(Pages, LinkToPlacesThatExist) {
  std::map<fs::path, std::set<std::string>> anchors;
  for (const fs::path& page : pages_) {
    const std::string text = without_code_blocks(page);
    for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
      at += 2;
      const std::string link = text.substr(at, text.find(')', at) - at);
      if (link.rfind("http", 0) == 0) continue;
      const std::size_t hash = std::min(link.find('#'), link.size());
      const fs::path target = hash == 0 ? page : page.parent_path() / link.substr(0, hash);
      EXPECT_TRUE(fs::exists(target)) << page.filename() << ": " << link;
      if (hash == link.size() || !fs::is_regular_file(target)) continue;
      auto known = anchors.find(target);
      if (known == anchors.end()) known = anchors.emplace(target, anchors_of(target)).first;
      EXPECT_TRUE(known->second.count(link.substr(hash + 1)) != 0)
          << page.filename() << ": " << link << ": no such heading";
    }
  }
}

// What a page for users or authors names of the sources, it says is there: the pages are installed.
TEST_F(Pages, WorkFromWhatIsInstalledOrSaySo) {
  for (const fs::path& page : installed_) {
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

// The pages promise one include. What they show is compiled, so it is enough, if nothing else of
// ours is included beside it.
TEST_F(Pages, ShowApplicationsThatIncludeFreshetAlone) {
  std::size_t applications = 0;
  for (const char* folder : {"docs/snippets", "samples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      std::vector<std::string> ours;
      for (const std::string& line : lines_of(text_of_file(entry.path()))) {
        if (line.rfind("#include <freshet/", 0) == 0 || line.rfind("#include \"freshet/", 0) == 0)
          ours.push_back(line);
      }
      if (std::find(ours.begin(), ours.end(), "#include <freshet/freshet.h>") == ours.end())
        continue;
      ++applications;
      EXPECT_EQ(ours.size(), 1U) << entry.path() << ": beside freshet.h: " << ours.back();
    }
  }
  EXPECT_GE(applications, 8U);
}

TEST_F(Pages, SnippetsRun) {
  const FrRun fr_run;
  const Outcome api =
      fr_run.local(path_from("FRESHET_TEST_SNIPPETS_API"), {(root_ / "docs/users/*.md").string()});
  EXPECT_EQ(api.code, 0) << api.text();
  EXPECT_NE(api.output.find("/news\n"), std::string::npos) << api.text();

  const Outcome from_flink = fr_run.local(path_from("FRESHET_TEST_SNIPPETS_COMING_FROM_FLINK"), {});
  EXPECT_EQ(from_flink.code, 0) << from_flink.text();
  EXPECT_NE(from_flink.output.find("orders: finished\n"), std::string::npos) << from_flink.text();

  const Outcome initials = fr_run.local(path_from("FRESHET_TEST_SNIPPETS_INITIALS"), {});
  EXPECT_EQ(initials.code, 0) << initials.text();

  const Outcome client =
      run({path_from("FRESHET_TEST_SNIPPETS_JOB_CLIENT")}, fr_run.surroundings());
  EXPECT_EQ(client.code, 0) << client.text();
  EXPECT_NE(client.output.find("finished after "), std::string::npos) << client.text();
  EXPECT_NE(client.output.find("map failed: stoi\n"), std::string::npos) << client.text();
}

}  // namespace
