// What a process reports when a signal kills it: signal, operator, batch, stacks.
//
// crash_handler.h  installs the handler, and notes what runs
// crash_writer.h   what runs inside of the handler
// crash_text.h     the raw report while it is written
// crash_report.h   the report as others read it
// symbolizer.h     starts fr-symbolizer, which finds names
// plain_report.h   the report where it is not to be had
//
// Begin      crash_handler.h
// Threads    The handler runs on the thread that died; everything else on any.
#pragma once

#include "crash/crash_handler.h"
