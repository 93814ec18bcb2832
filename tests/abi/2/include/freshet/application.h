// Makes a shared object an application, which fr-run starts:
//
//   int word_count(int argc, char** argv) { ... return 0; }
//   FRESHET_APPLICATION(word_count);
//
// Name and version may follow: FRESHET_APPLICATION(word_count, "word-count", "1.2.0"). Without a
// name the file's name counts. What the main returns is the exit code of fr-run; an exception that
// leaves it is reported with its text.
//
// Once in a shared object, at global scope.
#pragma once

#include "freshet/plugin/plugin_registration.h"

#define FRESHET_APPLICATION(...) FRESHET_DETAIL_APPLICATION(__VA_ARGS__, "", "", "")
#define FRESHET_DETAIL_APPLICATION(main_, name_, version_, ...)                      \
  FRESHET_DETAIL_MODULE(FRESHET_KIND_APPLICATION, name_, version_, nullptr, nullptr, \
                        (&::freshet::detail::ApplicationMain<&main_>::run))
