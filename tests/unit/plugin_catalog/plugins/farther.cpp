// Two libraries: from_elsewhere of the one (FARTHER_FROM) asks the other.
extern "C" __attribute__((visibility("default"))) int from_farther();
#ifdef FARTHER_FROM
extern "C" __attribute__((visibility("default"))) int from_elsewhere();
int from_elsewhere() { return from_farther() + 1; }
#else
int from_farther() { return 8; }
#endif
