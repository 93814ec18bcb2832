// Log lines that others cause: strangers who knock, peers that send what they should not, and peers
// that come and go. Each is logged, but a flood of them does not fill the log, and neither does a
// long one.
#pragma once

#include <cstdint>
#include <string>

#include "clock/clock.h"
#include "freshet/api.h"

namespace freshet::core {

// So many lines at once, and one more for each second that passes; the next line after that says
// how many were left out. A line is cut to 1,000 bytes, and its control characters become '?'.
//
// Threads    One.
class FRESHET_API PeerLog {
 public:
  static constexpr int kLinesAtOnce = 10;
  // Peers that are let in have more, so that a large cluster that starts is logged whole.
  static constexpr int kLinesAtOnceOfPeersLetIn = 100;

  // `clock` outlives it.
  PeerLog(int lines_at_once, const Clock& clock);

  void warn(std::string line);
  void info(std::string line);

 private:
  enum class Level : std::uint8_t { kInfo, kWarn };
  void log(Level level, std::string line);

  const Clock& clock_;
  const int lines_at_once_;
  int lines_left_;
  std::int64_t counted_to_ns_;  // the seconds until then have given their lines
  std::uint64_t left_out_ = 0;
};

}  // namespace freshet::core
