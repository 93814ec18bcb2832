#include "freshet/plugin/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace freshet {
namespace {

// Levenshtein's distance, one row at a time.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i])) ==
                        std::tolower(static_cast<unsigned char>(b[j]));
      const std::size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view wanted, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 256;  // bounds the work for a name out of a hostile file
  if (wanted.size() > kLongest) return {};
  std::size_t best = 2 + wanted.size() / 4;
  std::string nearest;
  for (const std::string& name : known) {
    const std::size_t edits = edits_between(wanted, name);
    // A name replaced letter by letter is no slip, however short it is.
    if (edits < best && edits < std::max(wanted.size(), name.size())) {
      best = edits;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace freshet
