// Every message of the control plane, by who talks to whom. A link carries each once and in order
// (link.h); so a lost message is the loss of a link, and nothing here needs a number of its own.
//
// A comment tells sender -> receiver, answer, deadline ("asker's": whoever asks bounds it; "none":
// a sign that is not waited for), and the protocol version that it came with. Bytes on the wire are
// a MessagePack map by field name: unknown fields are ignored, missing ones keep their default.
// Bounds of lengths are those of the envelope, unless a line here says less.
#pragma once

#include "messages/client_messages.h"   // clients and runners -> job manager
#include "messages/cluster_messages.h"  // task managers and workers <-> job manager
