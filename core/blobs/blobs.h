// Files by their content, between clients, job manager and task managers.
//
// blob_storage.h  blobs as roles see them; the simulation has its own
// stored_blobs.h  on disk
// blob_store.h    the files
// blob_sweep.h    removes those that nobody needs
//
// Begin      blob_storage.h
// Threads    The control thread.
#pragma once

#include "blobs/blob_storage.h"
