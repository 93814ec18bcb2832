// What a process of Freshet ends with: fr, fr-run, and the processes of a cluster. This is the one
// table; docs/users/operations.md has it for users.
//
// Main's own codes pass through fr-run and through a runner. Ours stand where sysexits.h has its
// codes, so that they seldom meet. A process that a signal has killed counts as 128 and the signal's
// number.
#pragma once

namespace freshet::core::exit_code {

// All went well: fr did what it was asked, main returned 0 and no job failed, a daemon ended as asked.
inline constexpr int kDone = 0;
// fr plugin check: a case did not pass.
inline constexpr int kCaseFailed = 1;
// The command line is wrong. EX_USAGE.
inline constexpr int kBadUsage = 64;
// What was given is refused, and nothing of it was begun: no such file, cluster, job or target, a bad
// value, a plan that can't be executed; a process of a cluster can't start. EX_DATAERR.
inline constexpr int kRefusedInput = 65;
// No job manager answers, or the one that answers does not know the application. EX_UNAVAILABLE.
inline constexpr int kNoCluster = 69;
// A job has failed, or the application: main has not given a code of its own. EX_SOFTWARE.
inline constexpr int kFailed = 70;
// An exception left main. EX_OSERR.
inline constexpr int kMainThrew = 71;
// All went well, but some of the output could not be written. EX_IOERR.
inline constexpr int kOutputLost = 74;
// A job manager is no longer the leader, because another one is. EX_TEMPFAIL.
inline constexpr int kLostItsCluster = 75;
// Canceled, or interrupted by Ctrl-C, SIGTERM or SIGHUP: as a shell reports Ctrl-C.
inline constexpr int kCanceled = 130;

}  // namespace freshet::core::exit_code
