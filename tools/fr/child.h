// A process of fr's own, for what must not end or hang fr itself: fr started anew, with a socket to
// report over. The child arms its own death signal; the parent ends and reaps it in any case.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "posix/descriptor.h"

namespace freshet::tool {
using namespace core;

class Child {
 public:
  struct Streams {
    int output;  // becomes its standard output
    int errors;  // and its standard error
  };
  // Starts `fr COMMAND... FLAG CHANNEL ARGUMENTS...`, where CHANNEL is for join_parent(). With a
  // group of its own what the child has started ends with it. Throws InvalidInput.
  struct Words {
    std::vector<std::string> command;
    std::string flag;
    std::vector<std::string> arguments;
  };
  Child(const Words& words, Streams streams, bool own_group);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // This side of the socket; blocks, unless it is set otherwise.
  int channel() const { return channel_.get(); }
  // Readable when the child has ended.
  int ended() const { return ended_.get(); }
  // Sends a signal unless it is 0, waits for the end, ends the rest of the group. Returns the
  // status of waitpid().
  int reap(int signal);

 private:
  pid_t id_ = -1;
  const bool own_group_;
  Descriptor channel_, ended_;
};

// In the child: the socket behind the parent's CHANNEL. From here on this process ends with its
// parent. Throws InvalidInput if the text, given with `option`, is none.
int join_parent(const std::string& channel, const std::string& option);

// "exit code 3", "signal SIGSEGV"
std::string end_text(int status);

}  // namespace freshet::tool
