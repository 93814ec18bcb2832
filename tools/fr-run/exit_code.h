// What fr-run's exit code says, beside kOutputLost (standard_streams.h). Main's own codes pass through; ours stand where sysexits.h has
// theirs, so that they seldom meet.
#pragma once

namespace freshet::tool {

enum ExitCode : int {
  kFinished = 0,       // main returned 0, and no job failed
  kBadUsage = 64,      // the command line is wrong
  kRefusedInput = 65,  // not an application, no such target, a bad value, a plan that can't be
  kJobFailed = 70,     // a job failed, and main did not return a code of its own
  kMainThrew = 71,     // an exception left main
  kCanceled = 130,     // Ctrl-C, SIGTERM or SIGHUP
};

}  // namespace freshet::tool
