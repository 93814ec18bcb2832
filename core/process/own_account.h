// What a process says of its own end to whoever has started it, on a descriptor of its own: nothing
// that it or its user's code prints can be taken for it, or hide it.
//
// Threads    Any.
#pragma once

#include <sys/types.h>

#include <string>

#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

class FRESHET_API OwnAccount {
 public:
  // Takes descriptor kOwnAccount (started_process.h), if it is such a pipe: no process that this
  // one starts has it.
  OwnAccount();

  // Nothing where nobody listens, and if user code has closed the descriptor.
  void give(const std::string& text) const;

 private:
  Descriptor pipe_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

}  // namespace freshet::core
