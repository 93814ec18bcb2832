// What a process holds, for the cases that look for leaks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace freshet::tool {

// Where the descriptors of this process lead, by number: "5 -> /dev/null".
std::vector<std::string> open_descriptors();
std::size_t thread_count();
// Bytes handed out by malloc; 0 where the allocator does not tell (a sanitizer's).
std::size_t heap_bytes_in_use();
// Pages in memory that no file stands behind, in bytes.
std::size_t resident_bytes();

}  // namespace freshet::tool
