#include "plugin_catalog/build_tag.h"

#include <gtest/gtest.h>

namespace freshet {
namespace {

const char* const kTag =
    "stdlib=libstdc++;stdlib-abi=cxx11;stdlib-debug=no;sdk-abi=1;boost=1_74;sanitizer=none;"
    "isa=x86-64-v2;compiler=gcc 12.2.0;cxx=202002L";

bool old_host(std::string_view name) { return name == "x86-64" || name == "x86-64-v2"; }

std::string with(std::string tag, const std::string& from, const std::string& to) {
  return tag.replace(tag.find(from), from.size(), to);
}

TEST(BuildTag, EqualTagsFit) { EXPECT_EQ(BuildTag(kTag).refusal(BuildTag(kTag), old_host), ""); }

TEST(BuildTag, CoreFitsItselfOnThisHost) {
  EXPECT_EQ(BuildTag::of_core().refusal(BuildTag::of_core(), host_has_instructions), "");
}

TEST(BuildTag, CompilerAndLevelOfTheLanguageAreShownAndNotJudged) {
  const BuildTag other(with(with(kTag, "gcc 12.2.0", "clang 14.0.6"), "202002L", "202302L"));
  EXPECT_EQ(other.refusal(BuildTag(kTag), old_host), "");
  EXPECT_EQ(other.shown_differences(BuildTag(kTag)),
            (std::vector<std::string>{"compiler clang 14.0.6 (here gcc 12.2.0)",
                                      "cxx 202302L (here 202002L)"}));
}

TEST(BuildTag, TellsEveryMismatchAtOnce) {
  const BuildTag other(with(with(kTag, "1_74", "1_81"), "sanitizer=none", "sanitizer=thread"));
  EXPECT_EQ(other.refusal(BuildTag(kTag), old_host),
            "is built with Boost '1_81', Freshet here with '1_74': build it with the SDK of this "
            "Freshet and its Boost; is built with sanitizer 'thread', Freshet here with 'none': "
            "build both with the same -fsanitize");
}

TEST(BuildTag, AnInstructionSetIsComparedWithTheHostAndNotWithCore) {
  EXPECT_EQ(BuildTag(with(kTag, "x86-64-v2", "x86-64")).refusal(BuildTag(kTag), old_host), "");
  const BuildTag newer(with(kTag, "x86-64-v2", "x86-64-v2+avx"));
  EXPECT_EQ(newer.refusal(BuildTag(kTag), old_host),
            "is built for a processor with 'avx', this host does not have that: build it for an "
            "older -march");
}

TEST(BuildTag, AMissingFieldIsAMismatch) {
  EXPECT_NE(BuildTag(with(kTag, "sdk-abi=1;", "")).refusal(BuildTag(kTag), old_host), "");
  EXPECT_NE(BuildTag("").refusal(BuildTag(""), old_host), "");
}

}  // namespace
}  // namespace freshet
