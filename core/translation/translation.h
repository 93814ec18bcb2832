// From the pipeline that main built to a JobGraph.
//
// translator_registry.h      finds the translator of a pipeline
// stream_graph_translator.h  that of the DataStream API
// chaining.h                 what shares a task and what is fused
// completion.h               what a translator may leave to Freshet
// process_modules.h, capture_scan.h
//     modules, and pointers among captures
// job_ids.h, stable_id.h     ids that a second run finds again
//
// Begin      translator_registry.h
// Threads    The thread of main.
#pragma once

#include "translation/translator_registry.h"
