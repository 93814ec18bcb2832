// What core asks of the operating system in more than one place: descriptors that close
// themselves, their limit, whole reads and writes, the texts of errors.
//
// descriptor.h         Descriptor, and files in memory
// descriptor_limit.h   raises and reads RLIMIT_NOFILE
// file_io.h            reads and writes that a signal does not cut short
// event_descriptors.h  whether the runtime's own descriptors are still open
// system_reason.h      errno as a text with what to do about it
//
// Begin      descriptor.h
// Threads    Any.
#pragma once

#include "posix/descriptor.h"
