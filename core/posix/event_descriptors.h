// The descriptors by which the threads of this process wake each other. User code that closes all
// descriptors, as one does who makes a daemon, closes these, too: then nothing that the runtime
// waits for comes any more.
#pragma once

#include <vector>

#include "freshet/api.h"

namespace freshet::core {

class FRESHET_API EventDescriptors {
 public:
  // Those that are open now.
  EventDescriptors();
  // Whether they are open still. May be asked in a signal handler.
  bool are_open() const noexcept;

 private:
  std::vector<int> numbers_;
};

}  // namespace freshet::core
