#include "security/peer_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace freshet::core {
namespace {

constexpr std::size_t kMostBytes = 1'000;
constexpr std::int64_t kNsOfALine = 1'000'000'000;

}  // namespace

PeerLog::PeerLog(int lines_at_once, const Clock& clock)
    : clock_(clock),
      lines_at_once_(lines_at_once),
      lines_left_(lines_at_once),
      counted_to_ns_(clock.now_ns()) {}

void PeerLog::warn(std::string line) { log(Level::kWarn, std::move(line)); }
void PeerLog::info(std::string line) { log(Level::kInfo, std::move(line)); }

void PeerLog::log(Level level, std::string line) {
  const std::int64_t given = (clock_.now_ns() - counted_to_ns_) / kNsOfALine;
  counted_to_ns_ += given * kNsOfALine;
  lines_left_ = static_cast<int>(std::min<std::int64_t>(lines_at_once_, lines_left_ + given));
  if (lines_left_ == 0) {
    ++left_out_;
    return;
  }
  --lines_left_;
  if (line.size() > kMostBytes) line = line.substr(0, kMostBytes) + "...";
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (left_out_ > 0) {
    line += " (and " + std::to_string(left_out_) + " lines before this one were left out)";
    left_out_ = 0;
  }
  spdlog::log(level == Level::kWarn ? spdlog::level::warn : spdlog::level::info, "{}", line);
}

}  // namespace freshet::core
