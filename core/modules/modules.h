// The modules of a process: an application's files, copied and loaded, and the operators that
// they register.
//
// application.h      from the files of an application to its main
// module_store.h     copies of files, by content
// module_registry.h  modules with operators
// loaded_module.h    operators and functions by offset
//
// Begin      module_registry.h
// Threads    Any; loading blocks.
#pragma once

#include "modules/module_registry.h"
