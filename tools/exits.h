// exit(), _exit() and quick_exit() of user code in this process: this program's own take the place
// of libc's wherever a module calls them.
//
// In a task they fail its job: the process ends with 70 and says which operator did it. So they do on
// a thread that an operator has started: on any but main's, while tasks run in this process. In main,
// exit() is as a return from it. Raw system calls are not seen, nor a libc function that exits.
#pragma once

namespace freshet::tool {

// What is to be done when exit() is called outside of tasks: gets its argument and returns what the
// process ends with. Called once, by the thread that called exit(); not in a child that main has
// forked. Null: nothing. Not while exit() may be called.
using ExitOfMain = int (*)(int code);
void set_exit_of_main(ExitOfMain called);

// _exit() of the program's own threads.
[[noreturn]] void leave_at_once(int code);

}  // namespace freshet::tool
