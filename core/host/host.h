// What belongs to a host: the folders of its clusters, their records, and what deployers get.
//
// state_folder.h       where everything is
// cluster_records.h    clusters/<id>.json
// cluster_presence.h   which processes live
// deployer_services.h  what core offers to deployers
//
// Begin      state_folder.h
// Threads    Any; blocks for files.
#pragma once

#include "host/state_folder.h"
