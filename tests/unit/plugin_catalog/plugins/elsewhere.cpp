extern "C" __attribute__((visibility("default"))) int from_elsewhere();
int from_elsewhere() { return 7; }
