// Clients of a cluster: ClusterClient and JobClient over a link.
//
// rpc_cluster_client.h, rpc_job_client.h
//     the two clients
// mains_in_client.h, rpc_mains_in_client.h
//     mains that run in the client's process
// client_session.h  the link that they share, kept up
// cluster_connection.h, cluster_node.h
//     what a process needs to talk
// collect_reader.h  rows of collecting operators
// uploads.h         files, each once
//
// Begin      rpc_cluster_client.h
// Threads    Any thread calls; answers come on the control thread.
#pragma once

#include "client/rpc_cluster_client.h"
