// Everything that is refused: each with its own words, none of its code run, and all of it in the
// table for plugin authors.
#include <unistd.h>

#include <set>

#include "bad_files.h"
#include "test_modules.h"

namespace freshet {
namespace {

using gallery::Refusal;
using test_modules::contains;
using test_modules::Marker;
using test_modules::ScratchFolder;

void expect_named(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.what);
    EXPECT_TRUE(contains(refusal.text, refusal.file)) << refusal.text << "\n" << refusal.file;
    for (const std::string& part : refusal.said)
      EXPECT_TRUE(contains(refusal.text, part)) << refusal.text << "\nhas no: " << part;
    for (const char c : refusal.text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << int{c};
  }
}

void expect_named_and_nothing_ran(std::vector<Refusal> (*made)()) {
  const ScratchFolder folder;
  const Marker marker(folder);
  expect_named(made());
  EXPECT_FALSE(marker.is_there());
}

TEST(Refusals, OfBadBytes) { expect_named_and_nothing_ran(gallery::of_bytes); }
TEST(Refusals, OfWhatIsNoFile) { expect_named_and_nothing_ran(gallery::of_odd_files); }
TEST(Refusals, OfWhatChangesWhileItIsRead) {
  expect_named_and_nothing_ran(gallery::of_changing_files);
}
TEST(Refusals, OfWhatTheLoaderMisses) { expect_named_and_nothing_ran(gallery::of_what_is_missing); }
TEST(Refusals, OfFolders) { expect_named_and_nothing_ran(gallery::of_folders); }
TEST(Refusals, OfPluginsThatDoNotGoTogether) { expect_named_and_nothing_ran(gallery::of_company); }

TEST(Refusals, OfChoicesAmongPlugins) { expect_named(gallery::of_choices()); }

// Made once: what hangs is waited for.
std::vector<Refusal> of_what_ran() {
  static const std::vector<Refusal> refusals = gallery::of_what_ran();
  return refusals;
}

TEST(Refusals, OfWhatShowsOnlyWhenItRuns) { expect_named(of_what_ran()); }

// The first column of the table, between its backticks; "…" stands for anything.
std::vector<std::string> rows_of_the_table() {
  const char* const root = std::getenv("FRESHET_SOURCE_ROOT");
  std::ifstream page(std::filesystem::path(root) / "docs/plugin-authors/troubleshooting.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(page, line);)
    if (line.rfind("| `", 0) == 0) rows.push_back(line.substr(3, line.find("` |") - 3));
  return rows;
}

bool matches(const std::string& text, const std::string& row) {
  const std::string anything = "…";
  std::size_t at = 0, begin = 0;
  while (begin <= row.size()) {
    const std::size_t end = std::min(row.find(anything, begin), row.size());
    const std::size_t found = text.find(row.substr(begin, end - begin), at);
    if (found == std::string::npos) return false;
    at = found + (end - begin);
    begin = end + anything.size();
  }
  return true;
}

TEST(Refusals, AllStandInTheTableForAuthorsAndNothingElseDoes) {
  // These take a race or a broken disk.
  std::set<std::string> not_made_here = {"can't be read: …: see to its disk, or copy it again",
                                         "was replaced while it was being opened: …"};
  const std::vector<std::string> rows = rows_of_the_table();
  if (::geteuid() != 0) {  // only root can give files to another user
    for (const std::string& row : rows)
      if (contains(row, "it belongs to user …")) not_made_here.insert(row);
  }
  std::set<std::string> unseen(rows.begin(), rows.end());
  ASSERT_EQ(unseen.size(), rows.size()) << "a row stands twice";
  for (const std::string& row : not_made_here) EXPECT_EQ(unseen.erase(row), 1u) << row;
  std::size_t refused = 0;
  for (const auto& made : {gallery::of_bytes, gallery::of_odd_files, gallery::of_changing_files,
                           gallery::of_what_is_missing, gallery::of_folders, gallery::of_company,
                           gallery::of_choices, &of_what_ran})
    for (const Refusal& refusal : made()) {
      ++refused;
      bool found = false;
      for (const std::string& row : rows)
        if (matches(refusal.text, row)) found = true, unseen.erase(row);
      EXPECT_TRUE(found) << "not in docs/plugin-authors/troubleshooting.md: " << refusal.text;
    }
  for (const std::string& row : unseen) ADD_FAILURE() << "nothing says what the table has: " << row;
  EXPECT_GT(refused, 90u);
}

TEST(Refusals, ATextThatIsInNoRowIsFound) {
  EXPECT_TRUE(matches("x.so: is 3 and not 4: mend", "is … and not …: mend"));
  EXPECT_FALSE(matches("x.so: is 3: mend", "is … and not …: mend"));
  EXPECT_FALSE(matches("x.so: and not 4: mend, is 3", "is … and not …: mend"));
}

}  // namespace
}  // namespace freshet
