// expect: aggregates are by key: key_by(f) first
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) { env.from_sequence(1, 3).count().print(); }
