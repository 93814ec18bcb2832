// Files of applications that are named by URL.
//
// artifact_fetcher.h  as the dispatcher sees it
// url_fetcher.h       by file-system plugins, on threads of its own
// allowed_folders.h   local: and file:
// url_path.h          paths in URLs
//
// Begin      artifact_fetcher.h
// Threads    Each header says which.
#pragma once

#include "fetching/artifact_fetcher.h"
