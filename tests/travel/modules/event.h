// A record type of which the library and the application may have different ideas.
#pragma once

#include <freshet/freshet.h>

struct Event {
  std::int64_t id = 0;
#if EVENT_VERSION == 2
  std::string text;
#else
  std::int64_t price = 0;
#endif
};

// Of the library.
[[gnu::visibility("default")]] freshet::DataStream<Event> events(
    freshet::StreamExecutionEnvironment& env);
