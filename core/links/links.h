// Typed messages between two processes, in order and each once, across connections that break.
//
// link.h        Link and Links, what roles use
// link_typed.h  how a message reaches its handler
// fields.h      what of a message is sent
// packing.h     how it becomes bytes; heavy, for those who define messages
// link_state.h  one end without the network: sequence numbers, acknowledgements
// envelope.h    the form of a frame
// not_known.h   an error that arrives as what it is
//
// Begin      link.h
// Threads    The control thread.
#pragma once

#include "links/link.h"
