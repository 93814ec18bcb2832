// Paths that a cluster takes rarely, so that no test would come by them, offered to the seed of the
// simulation: it has some of them taken though nothing asks for it, and counts which were taken.
// After FoundationDB's BUGGIFY and CODE_PROBE.
//
//   if (takes_rare_path(RarePath::kUploadInSmallChunks)) most = kBlobChunk / 8;   // an OFFERED one
//   passes_rare_path(RarePath::kUploadBegunAgain);                               // a REACHED one
//
// A new one is a row here and such a line in the code. The simulation's test names each that none of
// its seeds has taken. Outside of a simulation both calls are the check of a pointer: enough for
// messages and timers, too much for records.
//
// Begin      takes_rare_path()
// Threads    Any. What is set counts for its thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "freshet/api.h"

namespace freshet::core {

// OFFERED(id, one_in, words): as often as one in that many times. REACHED(id, words): by what happens.
#define FRESHET_RARE_PATHS(OFFERED, REACHED)                                                    \
  OFFERED(kFrameLost, 50, "link: a frame is lost on a connection that lives")                   \
  OFFERED(kFrameAskedForAgain, 10, "link: frames are asked for that have come")                 \
  OFFERED(kHeartbeatLeftOut, 10, "link: a heartbeat is left out")                               \
  OFFERED(kAcknowledgedAtOnce, 5, "link: a message is acknowledged by itself")                  \
  OFFERED(kTurnPutOff, 10, "link: messages wait for a later turn")                              \
  OFFERED(kAnswerDelayed, 10, "link: an answer comes late")                                     \
  OFFERED(kGraceCutShort, 4, "link: a broken connection is waited for half as long")            \
  OFFERED(kUploadInSmallChunks, 2, "client: a file is uploaded in small chunks")                \
  OFFERED(kClientLooksLate, 4, "client: it looks for the job manager again after a while")      \
  OFFERED(kModuleInSmallChunks, 4, "job manager: a file is handed out in small chunks")         \
  OFFERED(kFetchBegunAgain, 4, "task manager: a file is fetched from its beginning again")      \
  OFFERED(kLooksForLeaderLate, 4, "task manager: it looks for the job manager after a while")   \
  OFFERED(kLostPeerNotAwaited, 2, "job: the end of a worker that a peer misses is not awaited") \
  OFFERED(kLostWorkerStopped, 2, "job: a worker whose link is lost is stopped at once")         \
  OFFERED(kReportNotAwaited, 2, "job: an attempt that fails waits for no report")               \
  OFFERED(kCommitPutOff, 2, "job: a commit is tried again after the longest pause")             \
  OFFERED(kIdleLetGo, 4, "resources: an idle task manager is let go before its time")           \
  OFFERED(kStartGivenUp, 10, "resources: a task manager that starts is given up early")         \
  OFFERED(kStoreUnavailable, 10, "high availability: a store can't be reached")                 \
  REACHED(kEarlierLifeReplaced, "link: a process takes the place of its earlier life")          \
  REACHED(kEndedLinkRefused, "link: a link that this side has given up is refused")             \
  REACHED(kNothingHeard, "link: nothing came for the timeout of heartbeats")                    \
  REACHED(kUploadBegunAgain, "client: an upload begins again after its link is lost")           \
  REACHED(kSlotsWaitedForInVain, "job: slots are waited for in vain")                           \
  REACHED(kCommitTriedAgain, "job: a commit is tried again")

enum class RarePath : std::uint8_t {
#define FRESHET_OFFERED(id_, one_in_, words_) id_,
#define FRESHET_REACHED(id_, words_) id_,
  FRESHET_RARE_PATHS(FRESHET_OFFERED, FRESHET_REACHED)
#undef FRESHET_OFFERED
#undef FRESHET_REACHED
};

struct RarePathInfo {
  const char* words;
  std::uint32_t one_in;  // 0: it is not offered
};
inline constexpr RarePathInfo kRarePaths[] = {
#define FRESHET_OFFERED(id_, one_in_, words_) {words_, one_in_},
#define FRESHET_REACHED(id_, words_) {words_, 0},
    FRESHET_RARE_PATHS(FRESHET_OFFERED, FRESHET_REACHED)
#undef FRESHET_OFFERED
#undef FRESHET_REACHED
};

// Who has them taken.
class FRESHET_API RarePathSeed {
 public:
  virtual ~RarePathSeed();
  // Whether that one, which is OFFERED, is taken now.
  virtual bool takes(RarePath path) = 0;
  virtual void passes(RarePath path) = 0;
};

// For this thread, until it is replaced; null: none is taken. Returns the one before.
FRESHET_API RarePathSeed* use_rare_path_seed(RarePathSeed* seed);

FRESHET_API bool takes_rare_path(RarePath path);
FRESHET_API void passes_rare_path(RarePath path);

}  // namespace freshet::core
