// Counts words: fr-run libword_count.so --target=local [--input PATH] [--output FOLDER]
//
// A word is a run of letters, digits and underscores, in lower case. PATH is a file, a folder or a
// pattern. Rows are word<TAB>count, printed or written to parts in FOLDER.
#include <freshet/freshet.h>

#include <string>
#include <string_view>

#include "tokenize.h"

int word_count(int argc, char** argv) {
  std::string input = "/usr/share/common-licenses";
  std::string output;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--input") input = argv[i + 1];
    if (flag == "--output") output = argv[i + 1];
  }

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
