// Starting a program, with nothing inherited but what it is given: descriptor 3, read to its end,
// the standard streams, and the end of a pipe for its account of itself (own_account.h).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

struct ProgramStart {
  std::vector<std::string> command;                // argv; [0] is an absolute path
  std::map<std::string, std::string> environment;  // added to ours
  std::string inherited;                           // what it reads from descriptor 3
  int output = -1;                                 // becomes its stream 1
  int errors = -1;                                 // becomes its stream 2; -1: `output` does
  int account = -1;                                // becomes its descriptor kOwnAccount
  std::string control_group = {};                  // folder of the one it is born in; may be empty
  int template_channel = -1;                       // becomes its descriptor 3 (template_process.h)
  int inherited_file = -1;                         // becomes it, with what `inherited` would hold
};

// A child in a session of its own that is killed when the calling *thread* ends. Returns its id.
// Throws InvalidInput: the program can't be started.
FRESHET_API pid_t start_child(const ProgramStart& start);

// A process in a session of its own that belongs to nobody. Returns its id. Throws InvalidInput.
FRESHET_API pid_t start_detached_process(const ProgramStart& start);

// Whether there is no such process any more, or nothing but its exit code. [any process]
FRESHET_API bool has_ended(pid_t process);

inline constexpr int kOwnAccount = 4;

// All that stands at descriptor 3, which is closed: what the starter has handed over. Empty if
// there is none. `file` gets the file that it was in, if any.
FRESHET_API std::string take_inherited(Descriptor* file = nullptr);

}  // namespace freshet::core
