// Counts the words of a file, a folder or a pattern:
//   fr-run template_name.so --target=local PATH
#include <freshet/freshet.h>

#include <algorithm>
#include <string_view>

int template_name_main(int argc, char** argv) {
  if (argc != 2) throw freshet::InvalidInput("expected one argument: the PATH of the text");
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.read_text(argv[1])
      .flat_map<std::string_view>([](std::string_view line, auto& out) {
        while (!line.empty()) {
          const std::string_view word = line.substr(0, line.find(' '));
          if (!word.empty()) out(word);
          line.remove_prefix(std::min(line.size(), word.size() + 1));
        }
      })
      .key_by()
      .count()
      .print();
  env.execute("template-name");
  return 0;
}

FRESHET_APPLICATION(template_name_main, "template-name", "0.1.0");
