// Log lines that others cause: strangers who knock, and peers that send what they should not. Each
// is told, but a flood of them does not fill the log, and neither does a long one.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"

namespace freshet {

// At most ten lines within ten seconds; the next one after that says how many were left out. A line
// is cut to 1,000 bytes, and its control characters become '?'. One thread.
class FRESHET_API RefusalLog {
 public:
  void tell(std::string line);

 private:
  std::int64_t window_began_ns_ = 0;
  int told_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace freshet
