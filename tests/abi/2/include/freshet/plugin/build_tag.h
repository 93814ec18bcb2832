// FRESHET_BUILD_TAG: a string literal that says how this translation unit is compiled, as
// "field=value;field=value". It stands in the note of every module; core compares it with its own
// before any code of the module runs (docs/plugin-authors/contract.md says which fields refuse).
#pragma once

#include <cstddef>  // the standard library's configuration macros

#include "freshet/build_config.h"
#include "freshet/plugin.h"

#define FRESHET_DETAIL_TEXT_(x) #x
#define FRESHET_DETAIL_TEXT(x) FRESHET_DETAIL_TEXT_(x)

#if defined(_LIBCPP_VERSION)
#define FRESHET_DETAIL_STDLIB "libc++"
#define FRESHET_DETAIL_STDLIB_ABI "v" FRESHET_DETAIL_TEXT(_LIBCPP_ABI_VERSION)
#if defined(_LIBCPP_DEBUG) || defined(_LIBCPP_ENABLE_DEBUG_MODE)
#define FRESHET_DETAIL_STDLIB_DEBUG "yes"
#else
#define FRESHET_DETAIL_STDLIB_DEBUG "no"
#endif
#elif defined(__GLIBCXX__)
#define FRESHET_DETAIL_STDLIB "libstdc++"
#if _GLIBCXX_USE_CXX11_ABI
#define FRESHET_DETAIL_STDLIB_ABI "cxx11"
#else
#define FRESHET_DETAIL_STDLIB_ABI "before-cxx11"
#endif
#if defined(_GLIBCXX_DEBUG)
#define FRESHET_DETAIL_STDLIB_DEBUG "yes"
#else
#define FRESHET_DETAIL_STDLIB_DEBUG "no"
#endif
#else
#error "Freshet knows libstdc++ and libc++"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FRESHET_DETAIL_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define FRESHET_DETAIL_SANITIZER "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRESHET_DETAIL_SANITIZER "address"
#elif __has_feature(thread_sanitizer)
#define FRESHET_DETAIL_SANITIZER "thread"
#elif __has_feature(memory_sanitizer)
#define FRESHET_DETAIL_SANITIZER "memory"
#endif
#endif
#if !defined(FRESHET_DETAIL_SANITIZER)
#define FRESHET_DETAIL_SANITIZER "none"
#endif

// The highest level of x86-64 that the compiler may use, then every instruction set that it may use
// (what only a kernel uses or allows is left out), four to a hexadecimal digit, since their names
// don't fit. core/shared_objects/instruction_sets.cpp has the names in this order: rows are
// appended, never moved.
#if defined(__x86_64__)
#if defined(__SSE3__) && defined(__SSSE3__) && defined(__SSE4_2__) && defined(__POPCNT__)
#define FRESHET_DETAIL_ISA_V2 1
#else
#define FRESHET_DETAIL_ISA_V2 0
#endif
#if FRESHET_DETAIL_ISA_V2 && defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__) && \
    defined(__FMA__) && defined(__F16C__) && defined(__LZCNT__) && defined(__MOVBE__)
#define FRESHET_DETAIL_ISA_V3 1
#else
#define FRESHET_DETAIL_ISA_V3 0
#endif
#if FRESHET_DETAIL_ISA_V3 && defined(__AVX512F__) && defined(__AVX512BW__) && \
    defined(__AVX512CD__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v4"
#elif FRESHET_DETAIL_ISA_V3
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v3"
#elif FRESHET_DETAIL_ISA_V2
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v2"
#else
#define FRESHET_DETAIL_ISA_LEVEL "x86-64"
#endif

// As gcc and newer clangs name them, or as clang 14 does.
#if defined(__AMX_TILE__) || defined(__AMXTILE__)
#define FRESHET_DETAIL_AMX_TILE 1
#endif
#if defined(__AMX_INT8__) || defined(__AMXINT8__)
#define FRESHET_DETAIL_AMX_INT8 1
#endif
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
#define FRESHET_DETAIL_AMX_BF16 1
#endif

// 1 if x is a macro that is 1, else 0.
#define FRESHET_DETAIL_IS_1 0,
#define FRESHET_DETAIL_SECOND(first, second, ...) second
#define FRESHET_DETAIL_SECOND_OF(...) FRESHET_DETAIL_SECOND(__VA_ARGS__)
#define FRESHET_DETAIL_IS_(x) FRESHET_DETAIL_SECOND_OF(FRESHET_DETAIL_IS_##x 1, 0, 0)
#define FRESHET_DETAIL_IS(x) FRESHET_DETAIL_IS_(x)

// The first set is the digit's highest bit.
#define FRESHET_DETAIL_DIGIT_0000 "0"
#define FRESHET_DETAIL_DIGIT_0001 "1"
#define FRESHET_DETAIL_DIGIT_0010 "2"
#define FRESHET_DETAIL_DIGIT_0011 "3"
#define FRESHET_DETAIL_DIGIT_0100 "4"
#define FRESHET_DETAIL_DIGIT_0101 "5"
#define FRESHET_DETAIL_DIGIT_0110 "6"
#define FRESHET_DETAIL_DIGIT_0111 "7"
#define FRESHET_DETAIL_DIGIT_1000 "8"
#define FRESHET_DETAIL_DIGIT_1001 "9"
#define FRESHET_DETAIL_DIGIT_1010 "a"
#define FRESHET_DETAIL_DIGIT_1011 "b"
#define FRESHET_DETAIL_DIGIT_1100 "c"
#define FRESHET_DETAIL_DIGIT_1101 "d"
#define FRESHET_DETAIL_DIGIT_1110 "e"
#define FRESHET_DETAIL_DIGIT_1111 "f"
#define FRESHET_DETAIL_DIGIT_(a, b, c, d) FRESHET_DETAIL_DIGIT_##a##b##c##d
#define FRESHET_DETAIL_DIGIT(a, b, c, d) FRESHET_DETAIL_DIGIT_(a, b, c, d)
#define FRESHET_DETAIL_FOUR(a, b, c, d)                                                  \
  FRESHET_DETAIL_DIGIT(FRESHET_DETAIL_IS(a), FRESHET_DETAIL_IS(b), FRESHET_DETAIL_IS(c), \
                       FRESHET_DETAIL_IS(d))

// clang-format off
#define FRESHET_DETAIL_ISA_SETS                                                                 \
  FRESHET_DETAIL_FOUR(__SSE3__, __SSSE3__, __SSE4_1__, __SSE4_2__)                              \
  FRESHET_DETAIL_FOUR(__POPCNT__, __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16, __LAHF_SAHF__, __AVX__)  \
  FRESHET_DETAIL_FOUR(__AVX2__, __BMI__, __BMI2__, __F16C__)                                    \
  FRESHET_DETAIL_FOUR(__FMA__, __LZCNT__, __MOVBE__, __XSAVE__)                                 \
  FRESHET_DETAIL_FOUR(__AVX512F__, __AVX512BW__, __AVX512CD__, __AVX512DQ__)                    \
  FRESHET_DETAIL_FOUR(__AVX512VL__, __AES__, __PCLMUL__, __SHA__)                               \
  FRESHET_DETAIL_FOUR(__GFNI__, __VAES__, __VPCLMULQDQ__, __SSE4A__)                            \
  FRESHET_DETAIL_FOUR(__FMA4__, __XOP__, __TBM__, __LWP__)                                      \
  FRESHET_DETAIL_FOUR(__3dNOW__, __3dNOW_A__, __ADX__, __RDRND__)                               \
  FRESHET_DETAIL_FOUR(__RDSEED__, __RDPID__, __FSGSBASE__, __CLFLUSHOPT__)                      \
  FRESHET_DETAIL_FOUR(__CLWB__, __CLZERO__, __CLDEMOTE__, __MWAITX__)                           \
  FRESHET_DETAIL_FOUR(__PRFCHW__, __XSAVEOPT__, __XSAVEC__, __RTM__)                            \
  FRESHET_DETAIL_FOUR(__PKU__, __TSXLDTRK__, __SERIALIZE__, __WAITPKG__)                        \
  FRESHET_DETAIL_FOUR(__MOVDIRI__, __MOVDIR64B__, __AVXVNNI__, __AVX512IFMA__)                  \
  FRESHET_DETAIL_FOUR(__AVX512VBMI__, __AVX512VBMI2__, __AVX512VNNI__, __AVX512BITALG__)        \
  FRESHET_DETAIL_FOUR(__AVX512VPOPCNTDQ__, __AVX512BF16__, __AVX512FP16__, __AVX512VP2INTERSECT__) \
  FRESHET_DETAIL_FOUR(__AVX512ER__, __AVX512PF__, __AVX5124FMAPS__, __AVX5124VNNIW__)           \
  FRESHET_DETAIL_FOUR(FRESHET_DETAIL_AMX_TILE, FRESHET_DETAIL_AMX_INT8, FRESHET_DETAIL_AMX_BF16, __AMX_FP16__)
// clang-format on
#define FRESHET_DETAIL_ISA FRESHET_DETAIL_ISA_LEVEL ":" FRESHET_DETAIL_ISA_SETS
#elif defined(__aarch64__)
#define FRESHET_DETAIL_ISA "aarch64"
#else
#error "Freshet knows x86-64 and aarch64"
#endif

#if defined(__clang__)
#define FRESHET_DETAIL_COMPILER                                          \
  "clang " FRESHET_DETAIL_TEXT(__clang_major__) "." FRESHET_DETAIL_TEXT( \
      __clang_minor__) "." FRESHET_DETAIL_TEXT(__clang_patchlevel__)
#else
#define FRESHET_DETAIL_COMPILER                                 \
  "gcc " FRESHET_DETAIL_TEXT(__GNUC__) "." FRESHET_DETAIL_TEXT( \
      __GNUC_MINOR__) "." FRESHET_DETAIL_TEXT(__GNUC_PATCHLEVEL__)
#endif

#define FRESHET_BUILD_TAG                                                                     \
  "stdlib=" FRESHET_DETAIL_STDLIB ";stdlib-abi=" FRESHET_DETAIL_STDLIB_ABI                    \
  ";stdlib-debug=" FRESHET_DETAIL_STDLIB_DEBUG                                                \
  ";sdk-abi=" FRESHET_DETAIL_TEXT(FRESHET_ABI_VERSION) ";boost=" FRESHET_BOOST_VERSION_TEXT   \
                                                       ";sanitizer=" FRESHET_DETAIL_SANITIZER \
                                                       ";isa=" FRESHET_DETAIL_ISA             \
                                                       ";compiler=" FRESHET_DETAIL_COMPILER   \
                                                       ";cxx=" FRESHET_DETAIL_TEXT(__cplusplus)

static_assert(sizeof(FRESHET_BUILD_TAG) <= FRESHET_BUILD_TAG_SIZE);
