// Code of a plugin that may never return, called so that it is named when it does not.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

// How long a plugin may take for what should take no time.
inline constexpr std::chrono::nanoseconds kPluginPatience = std::chrono::seconds(5);

// Runs `call` on a thread of its own. True: it has ended; what it threw is thrown here. False: it
// has not within `patience`; the thread is left to itself and may still use all that `call` holds,
// so `call` holds everything by value or shared.
FRESHET_API bool ends_in_time(std::chrono::nanoseconds patience, std::function<void()> call);

// Logs `warning` as an error if it lives longer than `patience`: for what can't be left behind,
// such as the loader, which holds its lock for as long as a constructor runs.
class FRESHET_API NamedWhenLate {
 public:
  NamedWhenLate(std::chrono::nanoseconds patience, std::string warning);
  ~NamedWhenLate();
  NamedWhenLate(const NamedWhenLate&) = delete;
  NamedWhenLate& operator=(const NamedWhenLate&) = delete;

 private:
  struct Watch;
  std::unique_ptr<Watch> watch_;
};

}  // namespace freshet::core
