// A process of a cluster on this host, known by its id alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace standalone {

// Kills those of them that are processes of that cluster still, and waits until they have ended, at
// most that long. An id that has gone to another program meanwhile is left alone.
void kill_processes(const std::string& cluster_id, const std::vector<std::int64_t>& processes,
                    std::int64_t patience_ms);

// The same for processes that have been told to end: kills only those that have not after that
// time.
void await_processes(const std::string& cluster_id, const std::vector<std::int64_t>& processes,
                     std::int64_t patience_ms);
// Whether it lives and is a process of that cluster.
bool lives(const std::string& cluster_id, std::int64_t process);

}  // namespace standalone
