#include "security/refusal_log.h"

#include <spdlog/spdlog.h>

#include "task/clock.h"

namespace freshet {
namespace {

constexpr int kMostLines = 10;
constexpr std::size_t kMostBytes = 1'000;
constexpr std::int64_t kWindowNs = 10'000'000'000;

}  // namespace

void RefusalLog::tell(std::string line) {
  const std::int64_t now = SystemClock::instance().now_ns();
  if (window_began_ns_ == 0 || now - window_began_ns_ > kWindowNs) {
    window_began_ns_ = now;
    told_ = 0;
  }
  if (told_ == kMostLines) {
    ++left_out_;
    return;
  }
  ++told_;
  if (line.size() > kMostBytes) line = line.substr(0, kMostBytes) + "...";
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (left_out_ > 0) {
    spdlog::warn("{} (and {} refusals before that were not told)", line, left_out_);
    left_out_ = 0;
  } else {
    spdlog::warn("{}", line);
  }
}

}  // namespace freshet
