// Counts words: fr-run libword_count.so --target=local [--input PATH] [--output FOLDER]
//
// A word is a run of letters, digits and underscores, in lower case. PATH is a file, a folder or a
// pattern. Rows are word<TAB>count, printed or written to parts in FOLDER.
#include <freshet/freshet.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "tokenize.h"

// Flags and their values. Tells what is wrong and returns false if it can't make sense of them.
bool read_arguments(int argc, char** argv, std::string& input, std::string& output) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    std::string* value = flag == "--input" ? &input : flag == "--output" ? &output : nullptr;
    if (value == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "word_count: %s '%s': flags are --input PATH and --output FOLDER\n",
                   value == nullptr ? "there is no flag" : "no value after", argv[i]);
      return false;
    }
    *value = argv[i + 1];
  }
  return true;
}

int word_count(int argc, char** argv) {
  std::string input = "/usr/share/common-licenses";
  std::string output;
  constexpr int kBadUsage = 64;
  if (!read_arguments(argc, argv, input, output)) return kBadUsage;

  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  auto counts = env.read_text(input).flat_map<std::string_view>(Tokenize{}).key_by().count();
  if (output.empty()) {
    counts.print();
  } else {
    counts.write_text(output);
  }
  env.execute("word count");
  return 0;
}

FRESHET_APPLICATION(word_count);
