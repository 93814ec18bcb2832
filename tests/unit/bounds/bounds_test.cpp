#include "bounds/bounds.h"

#include <gtest/gtest.h>

#include <string>

namespace freshet::core {
namespace {

TEST(CutTo, LeavesShortTextsAlone) {
  EXPECT_EQ(cut_to(100, ""), "");
  EXPECT_EQ(cut_to(100, std::string(100, 'x')), std::string(100, 'x'));
}

TEST(CutTo, KeepsBothEndsAndSaysHowMuchWasLeftOut) {
  const std::string text = "it begins " + std::string(1'000'000, '.') + " and ends";
  const std::string cut = cut_to(100, text);
  EXPECT_LE(cut.size(), 100u);
  EXPECT_TRUE(cut.starts_with("it begins ....")) << cut;
  EXPECT_TRUE(cut.ends_with(".... and ends")) << cut;
  const auto number = cut.find('[') + 1;
  const std::size_t left_out = std::stoul(cut.substr(number));
  EXPECT_NE(cut.find(" ... [" + std::to_string(left_out) + " bytes left out] ... "),
            std::string::npos)
      << cut;
  const std::size_t note = cut.size() - (text.size() - left_out);
  EXPECT_EQ(note, (" ... [" + std::to_string(left_out) + " bytes left out] ... ").size());
}

// The oracle: a sequence of UTF-8 that is whole has only whole ones on both sides.
bool is_utf8(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first >= 0x80 && first < 0xC0) return false;
    for (std::size_t i = 1; i < size; ++i) {
      if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) {
        return false;
      }
    }
    at += size;
  }
  return true;
}

TEST(CutTo, CutsNoSequenceOfUtf8WhereverTheCutFalls) {
  for (const char* letter : {"ü", "€", "𝄞"}) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string text(shift, 'x');
      for (int i = 0; i < 100; ++i) text += letter;
      for (std::size_t most = 80; most < 100; ++most) {
        const std::string cut = cut_to(most, text);
        EXPECT_LE(cut.size(), most);
        EXPECT_TRUE(is_utf8(cut)) << cut;
      }
    }
  }
}

TEST(CutTo, TakesBytesThatAreNoUtf8) {
  const std::string cut = cut_to(80, std::string(1'000, '\x80'));
  EXPECT_LE(cut.size(), 80u);
  EXPECT_NE(cut.find("bytes left out"), std::string::npos);
}

TEST(Bounds, HoldForAFailure) {
  FailureInfo failure;
  failure.operator_name = std::string(1'000'000, 'o');
  failure.message = std::string(1'000'000, 'm');
  failure.subtask = 3;
  failure.record = 4;
  const FailureInfo cut = bounded(failure);
  EXPECT_LE(cut.operator_name.size(), kMostNameBytes);
  EXPECT_LE(cut.message.size(), kMostFailureBytes);
  EXPECT_EQ(cut.subtask, 3u);
  EXPECT_EQ(cut.record, 4u);
}

}  // namespace
}  // namespace freshet::core
