// A template: a process that has loaded its program and made itself ready, and then forks. What it
// forks goes on as if it had been started, without the 15 ms and the processor time that loading
// takes; it is the child of who started the template, not of the template. (The zygote of Android
// and Chromium.)
//
// The template and what it forks have one layout of addresses. It has one thread while it forks.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>

#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

// ---- who starts it ------------------------------------------------------------------------------

struct TemplateChannel {
  int ours = -1;
  int its = -1;  // its descriptor 3
};
// Both close on exec. Throws InvalidInput.
FRESHET_API TemplateChannel template_channel();

// Whether it has said that it is ready, since the channel was made. Takes that word.
FRESHET_API bool hears_ready(int channel);

struct ForkedStart {
  int inherited = -1;                   // a file with what serve_as_template() returns in it
  int output = -1;                      // becomes its stream 1
  int errors = -1;                      // becomes its stream 2
  int account = -1;                     // becomes its descriptor kOwnAccount
  std::filesystem::path control_group;  // the one it is born in
};
// To one that is ready. The child is in a session of its own, and killed when the thread that has
// started the template ends. Throws InvalidInput: nothing was forked, if the template is killed
// now.
FRESHET_API pid_t fork_from_template(int channel, const ForkedStart& start);

// ---- in the template ----------------------------------------------------------------------------

// Whether descriptor 3 is such a channel.
FRESHET_API bool is_template();

// Says that it is ready, and forks when it is asked to. Returns in each process that it has forked,
// as take_inherited() does, never in the template, which exits when its starter has gone.
FRESHET_API std::string serve_as_template(Descriptor* file = nullptr);

}  // namespace freshet::core
