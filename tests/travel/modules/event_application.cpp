// Reads the library's events by its own idea of them.
#include <cstdio>

#include "event.h"

namespace {

int read_events(int, char**) {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.set_parallelism(2);
  auto ids = events(env).map([](const Event& event) { return std::to_string(event.id); });
  for (const std::string& id : ids.name("reader of the application").execute_and_collect()) {
    std::puts(id.c_str());
  }
  return 0;
}

}  // namespace

FRESHET_APPLICATION(read_events);
