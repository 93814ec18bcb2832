// Shared objects before and while they are loaded: read, judged, pinned, opened.
//
// elf_file.h       an ELF file, read without loading it
// plugin_file.h    who a file is, by its note
// plugin_kind.h    the kinds
// abi_versions.h, build_tag.h, instruction_sets.h
//     whether it fits this process and host
// judged_file.h, refused_file.h
//     the judgement
// search_path.h    where plugins are looked for
// pinned_file.h, load_tree.h
//     what is loaded is what was judged
// shared_object.h  the one place that calls dlopen
// plugin_call.h    names code that does not return
//
// Begin      shared_object.h
// Threads    Any; loading blocks.
#pragma once

#include "shared_objects/shared_object.h"
