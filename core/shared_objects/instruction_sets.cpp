#include "shared_objects/instruction_sets.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

namespace freshet::core {
namespace {

struct InstructionSet {
  const char* name;
  const char* flag;  // in /proc/cpuinfo
  int level;         // of x86-64 that holds it; 5: none does
};

// In the order of FRESHET_DETAIL_ISA_SETS.
constexpr InstructionSet kSets[] = {
    {"sse3", "pni", 2},
    {"ssse3", "ssse3", 2},
    {"sse4.1", "sse4_1", 2},
    {"sse4.2", "sse4_2", 2},
    {"popcnt", "popcnt", 2},
    {"cx16", "cx16", 2},
    {"sahf", "lahf_lm", 2},
    {"avx", "avx", 3},
    {"avx2", "avx2", 3},
    {"bmi", "bmi1", 3},
    {"bmi2", "bmi2", 3},
    {"f16c", "f16c", 3},
    {"fma", "fma", 3},
    {"lzcnt", "abm", 3},
    {"movbe", "movbe", 3},
    {"xsave", "xsave", 3},
    {"avx512f", "avx512f", 4},
    {"avx512bw", "avx512bw", 4},
    {"avx512cd", "avx512cd", 4},
    {"avx512dq", "avx512dq", 4},
    {"avx512vl", "avx512vl", 4},
    {"aes", "aes", 5},
    {"pclmul", "pclmulqdq", 5},
    {"sha", "sha_ni", 5},
    {"gfni", "gfni", 5},
    {"vaes", "vaes", 5},
    {"vpclmulqdq", "vpclmulqdq", 5},
    {"sse4a", "sse4a", 5},
    {"fma4", "fma4", 5},
    {"xop", "xop", 5},
    {"tbm", "tbm", 5},
    {"lwp", "lwp", 5},
    {"3dnow", "3dnow", 5},
    {"3dnowa", "3dnowext", 5},
    {"adx", "adx", 5},
    {"rdrnd", "rdrand", 5},
    {"rdseed", "rdseed", 5},
    {"rdpid", "rdpid", 5},
    {"fsgsbase", "fsgsbase", 5},
    {"clflushopt", "clflushopt", 5},
    {"clwb", "clwb", 5},
    {"clzero", "clzero", 5},
    {"cldemote", "cldemote", 5},
    {"mwaitx", "mwaitx", 5},
    {"prfchw", "3dnowprefetch", 5},
    {"xsaveopt", "xsaveopt", 5},
    {"xsavec", "xsavec", 5},
    {"rtm", "rtm", 5},
    {"pku", "pku", 5},
    {"tsxldtrk", "tsxldtrk", 5},
    {"serialize", "serialize", 5},
    {"waitpkg", "waitpkg", 5},
    {"movdiri", "movdiri", 5},
    {"movdir64b", "movdir64b", 5},
    {"avxvnni", "avx_vnni", 5},
    {"avx512ifma", "avx512ifma", 5},
    {"avx512vbmi", "avx512vbmi", 5},
    {"avx512vbmi2", "avx512_vbmi2", 5},
    {"avx512vnni", "avx512_vnni", 5},
    {"avx512bitalg", "avx512_bitalg", 5},
    {"avx512vpopcntdq", "avx512_vpopcntdq", 5},
    {"avx512bf16", "avx512_bf16", 5},
    {"avx512fp16", "avx512_fp16", 5},
    {"avx512vp2intersect", "avx512_vp2intersect", 5},
    {"avx512er", "avx512er", 5},
    {"avx512pf", "avx512pf", 5},
    {"avx5124fmaps", "avx512_4fmaps", 5},
    {"avx5124vnniw", "avx512_4vnniw", 5},
    {"amx-tile", "amx_tile", 5},
    {"amx-int8", "amx_int8", 5},
    {"amx-bf16", "amx_bf16", 5},
    {"amx-fp16", "amx_fp16", 5},
};

constexpr std::string_view kLevels[] = {"", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

// 0 if it is none.
int level_of(std::string_view name) {
  const auto* const found = std::find(std::begin(kLevels) + 1, std::end(kLevels), name);
  return found == std::end(kLevels) ? 0 : static_cast<int>(found - std::begin(kLevels));
}

int value_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

}  // namespace

std::string named_instruction_sets(std::string_view isa) {
  const std::size_t colon = isa.find(':');
  if (colon == std::string_view::npos) return std::string(isa);
  const std::string_view digits = isa.substr(colon + 1);
  if (std::any_of(digits.begin(), digits.end(), [](char c) { return value_of(c) < 0; }))
    return std::string(isa);
  std::string named(isa.substr(0, colon));
  const int level = level_of(named);
  for (std::size_t at = 0; at < digits.size() * 4; ++at) {
    if ((value_of(digits[at / 4]) >> (3 - at % 4) & 1) == 0) continue;
    if (at >= std::size(kSets))
      named += "+set " + std::to_string(at);
    else if (kSets[at].level > level)
      named.append("+").append(kSets[at].name);
  }
  return named;
}

HostInstructions::HostInstructions(std::string_view cpuinfo) {
  const std::size_t line = cpuinfo.find("\nflags");
  if (line == std::string_view::npos) return;
  const std::size_t begin = cpuinfo.find(':', line), end = cpuinfo.find('\n', line + 1);
  if (begin == std::string_view::npos || begin > end) return;
  std::istringstream flags{std::string(cpuinfo.substr(begin + 1, end - begin - 1))};
  for (std::string flag; flags >> flag;) flags_.insert(flag);
}

const HostInstructions& HostInstructions::of_this_host() {
  static const HostInstructions host = [] {
    std::ifstream file("/proc/cpuinfo");
    return HostInstructions(std::string(std::istreambuf_iterator<char>(file), {}));
  }();
  return host;
}

bool HostInstructions::has(std::string_view name) const {
#if defined(__x86_64__)
  if (const int level = level_of(name); level > 0)
    return std::all_of(std::begin(kSets), std::end(kSets), [&](const InstructionSet& set) {
      return set.level > level || flags_.count(set.flag) > 0;
    });
  return std::any_of(std::begin(kSets), std::end(kSets), [&](const InstructionSet& set) {
    return name == set.name && flags_.count(set.flag) > 0;
  });
#else
  return name == "aarch64";
#endif
}

}  // namespace freshet::core
