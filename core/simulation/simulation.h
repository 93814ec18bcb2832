// A whole cluster in one process, from one seed: the roles are real; threads, clock, network,
// processes and files are played.
//
// simulated_cluster.h  the cluster, and the faults
// simulated_thread.h   control threads and the clock
// simulated_network.h  connections that break
// simulated_host.h, simulated_bodies.h
//     files, and what processes are made of
// simulated_main.h, simulated_tasks.h
//     what mains and tasks do
// seeded_random.h, seeded_rare_paths.h
//     the seed
//
// Begin      simulated_cluster.h
// Threads    The calling thread alone.
#pragma once

#include "simulation/simulated_cluster.h"
