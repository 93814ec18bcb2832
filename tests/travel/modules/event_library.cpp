// A library with operators of its own, which applications link.
#include "event.h"

freshet::DataStream<Event> events(freshet::StreamExecutionEnvironment& env) {
  return env
      .generate(
          [](std::uint64_t i) {
            Event event;
            event.id = static_cast<std::int64_t>(i);
            return event;
          },
          10)
      .name("events of the library");
}
