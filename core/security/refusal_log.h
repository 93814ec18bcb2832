// Log lines about strangers who knock: each is told, but a flood of them does not fill the log.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"

namespace freshet {

// At most ten lines within ten seconds; the next one after that says how many were left out. One
// thread.
class FRESHET_API RefusalLog {
 public:
  void tell(const std::string& line);

 private:
  std::int64_t window_began_ns_ = 0;
  int told_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace freshet
