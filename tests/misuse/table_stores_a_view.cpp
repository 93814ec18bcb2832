// expect: freshet::Owned<T>, which is std::string for std::string_view
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  static_cast<void>(env);
  freshet::KeyedTable<std::string, std::string_view> last({0, 128}, 128);
}
