// Who a process is, and what only its owner may read.
//
// keys.h        CURVE key pairs
// owner_only.h  files, folders and ipc sockets of one user
// peer_log.h    bounds the log lines that others cause
// sha256.h      the hash by which files are named
//
// Begin      keys.h
// Threads    Any.
#pragma once

#include "security/keys.h"
