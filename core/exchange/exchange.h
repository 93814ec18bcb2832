// How batches get from one task to another: within a worker, between workers, and to clients.
//
// channel.h, ring.h
//     within a worker
// buffer_budget.h  the memory of all batches
// frame.h, remote_sender.h, remote_receiver.h
//     between workers: elements as frames, credit
// data_plane.h, data_messages.h
//     the data socket and what is said on it
// remote_tasks.h   what a worker's tasks have to do with other workers
// collect_server.h, result_queue.h
//     rows for clients
//
// Begin      channel.h
// Threads    Fibers of tasks write and read; frames are sent and received on the network thread.
#pragma once

#include "exchange/channel.h"
