// The program that finds the names of a report's addresses: fr-symbolizer, which is installed
// beside the core library. What reads debug information, of whatever files a job brings, is no part
// of a process that others depend on.
//
// It takes the raw report at descriptor 3 and prints
//
//     --report [--all-threads]    the whole report, for people, to standard error
//     --stacks                    a line with the number of the stage that ran in a kernel, empty
//                                 if that is not known; the frames of user code, a form feed, and
//                                 all threads
#pragma once

#include <string>

#include "freshet/api.h"

namespace freshet::core {

// Its absolute path; empty if it is not there.
FRESHET_API std::string symbolizer_program();

}  // namespace freshet::core
