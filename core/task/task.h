// Fibers: the threads that run them, how they wait, their stacks and mailboxes.
//
// fiber_thread.h    one thread that runs fibers
// scheduler.h       the threads of a worker
// fiber.h           a fiber as its owner sees it
// waiter.h          how a fiber waits for another thread
// mailbox.h         how others get into a fiber
// helper_threads.h  threads for calls that block
// stack.h           stacks with guards
// shared_end.h      destructors that wait for threads
// forked_child.h    children that are forked without exec
//
// Begin      fiber_thread.h
// Threads    Each header says which; a fiber stays on one thread.
#pragma once

#include "task/fiber_thread.h"
