#include "shared_objects/build_tag.h"

#include <gtest/gtest.h>

#include "freshet/plugin/build_tag.h"
#include "shared_objects/instruction_sets.h"

namespace freshet::core {
namespace {

const char* const kTag =
    "stdlib=libstdc++;stdlib-abi=cxx11;stdlib-debug=no;sdk-abi=2;boost=1_74;sanitizer=none;"
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
  const BuildTag newer(with(kTag, "x86-64-v2", "x86-64-v2+avx+amx-tile"));
  EXPECT_EQ(newer.refusal(BuildTag(kTag), old_host),
            "is built for a processor with 'avx, amx-tile', this host is 'x86-64-v2' without that: "
            "build it with -march=x86-64-v2");
}

TEST(BuildTag, InstructionSetsBeyondTheLevelAreNamed) {
  EXPECT_EQ(named_instruction_sets("x86-64-v2"), "x86-64-v2");
  EXPECT_EQ(named_instruction_sets("x86-64-v3:ffff00000000000000"), "x86-64-v3");
  EXPECT_EQ(named_instruction_sets("x86-64:8"), "x86-64+sse3");
  EXPECT_EQ(named_instruction_sets("x86-64-v2:ff8000000000000000"), "x86-64-v2+avx+avx2");
  EXPECT_EQ(named_instruction_sets("x86-64-v4:fffff8000000000008"), "x86-64-v4+amx-tile");
}

TEST(BuildTag, ASetThatCameLaterIsOneThatNoHostHas) {
  EXPECT_EQ(named_instruction_sets("x86-64:0000000000000000008"), "x86-64+set 72");
  EXPECT_FALSE(host_has_instructions("set 72"));
  EXPECT_EQ(named_instruction_sets("x86-64:fg"), "x86-64:fg");
  EXPECT_FALSE(host_has_instructions("x86-64:fg"));
}

#if defined(__x86_64__)
// Of a processor of 2015, as Linux tells it, in part; what it says of its bugs is no instruction.
const char* const kSkylake =
    "processor\t: 0\nvendor_id\t: GenuineIntel\n"
    "flags\t\t: fpu sse sse2 pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx "
    "f16c rdrand lahf_lm abm 3dnowprefetch bmi1 avx2 bmi2 rdseed adx clflushopt xsaveopt xsavec\n"
    "bugs\t\t: sha_ni\n\nprocessor\t: 1\nflags\t\t: avx512f\n";

TEST(BuildTag, AHostHasWhatItsFirstProcessorNames) {
  const HostInstructions host(kSkylake);
  for (const char* name : {"x86-64", "x86-64-v2", "x86-64-v3", "avx2", "aes", "pclmul", "lzcnt"})
    EXPECT_TRUE(host.has(name)) << name;
  for (const char* name :
       {"x86-64-v4", "x86-64-v5", "avx512f", "sha", "amx-tile", "", "fpu", "pni"})
    EXPECT_FALSE(host.has(name)) << name;
}

TEST(BuildTag, AHostThatTellsNothingHasTheFirstLevel) {
  for (const char* text : {"", "flags", "\nflags", "\nflags\n: avx", "\nflagship: none"}) {
    EXPECT_TRUE(HostInstructions(text).has("x86-64")) << text;
    EXPECT_FALSE(HostInstructions(text).has("avx")) << text;
  }
}

TEST(BuildTag, ThisProcessorIsNamedAsTheCompilersBuiltinDoes) {
  EXPECT_EQ(host_has_instructions("avx2"), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(host_has_instructions("avx512vnni"), __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(host_has_instructions("fma4"), __builtin_cpu_supports("fma4") != 0);
}
#endif

TEST(BuildTag, TheLongestOneFitsItsField) {
  const std::string longest =
      "stdlib=libstdc++;stdlib-abi=before-cxx11;stdlib-debug=yes;sdk-abi=4294967295;boost=99_999;"
      "sanitizer=address;isa=x86-64-v4:ffffffffffffffffff;compiler=clang 9999.99.99;cxx=202699L";
  EXPECT_LT(longest.size(), std::size_t{FRESHET_BUILD_TAG_SIZE});
  const std::string isa(longest, longest.find("isa=") + 4);
  EXPECT_EQ(named_instruction_sets(isa.substr(0, isa.find(';'))).find("set "), std::string::npos);
  const std::string here = FRESHET_BUILD_TAG;
  EXPECT_LE(here.size(), longest.size());
}

TEST(BuildTag, AMissingFieldIsAMismatch) {
  EXPECT_NE(BuildTag(with(kTag, "boost=1_74;", "")).refusal(BuildTag(kTag), old_host), "");
  EXPECT_NE(BuildTag("").refusal(BuildTag(""), old_host), "");
}

}  // namespace
}  // namespace freshet::core
