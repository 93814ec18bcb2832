// Sockets: the one thread that owns them, who is let in, and frames between processes.
//
// transport.h         frames as roles see them; the simulation has its own
// zeromq_transport.h  the real Transport
// zeromq_sockets.h    its half on the network thread
// network_thread.h    owns every ZeroMQ socket of the process
// socket_monitor.h    what ZeroMQ says of connections
// zap_handler.h       whose keys are let in
// arrivals.h          connections before their first message
// unproven_peers.h    bounds connections that have not proved who they are
// endpoint.h          addresses as users write them
// role.h              what a process is in its cluster
//
// Begin      transport.h
// Threads    Roles call a Transport on the control thread; everything else runs on the network
//            thread.
#pragma once

#include "network/transport.h"
