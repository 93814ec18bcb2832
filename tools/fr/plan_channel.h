// What `fr info` and its child tell each other: frames of a kind, a length, and so many bytes.
//
// First the request, a frame for each of its parts and one for its end; then the report, a frame
// for each plan and one for how main ended (its kind is Plans::End).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::tool {

inline constexpr char kApplication = 'a';
inline constexpr char kConfigurationFile = 'c';
inline constexpr char kFlagKey = 'k';  // then kFlagText, then kFlagName
inline constexpr char kFlagText = 't';
inline constexpr char kFlagName = 'n';
inline constexpr char kShipped = 's';
inline constexpr char kArgument = 'm';
inline constexpr char kRequestEnd = '.';
inline constexpr char kPlan = 'J';  // a serialised JobGraph

// Threads: any.
class PlanSender {
 public:
  explicit PlanSender(int descriptor) : descriptor_(descriptor) {}

  void send(char kind, std::string_view content) {
    const std::lock_guard lock(mutex_);
    const auto size = static_cast<std::uint32_t>(content.size());
    std::string frame(1, kind);
    frame.append(reinterpret_cast<const char*>(&size), sizeof size);
    frame.append(content);
    for (std::size_t sent = 0; sent < frame.size();) {
      const ssize_t n = ::send(descriptor_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno != EINTR) return;  // the other side has gone, which its own end tells
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
  }

 private:
  const int descriptor_;
  std::mutex mutex_;
};

// Frames out of what has arrived so far.
class PlanFrames {
 public:
  struct Frame {
    char kind;
    std::string content;
  };

  void append(const char* bytes, std::size_t size) { arrived_.append(bytes, size); }
  // Nothing until a whole frame has arrived.
  std::optional<Frame> next() {
    std::uint32_t size = 0;
    constexpr std::size_t kHeader = 1 + sizeof size;
    if (arrived_.size() < kHeader) return std::nullopt;
    std::memcpy(&size, arrived_.data() + 1, sizeof size);
    if (arrived_.size() - kHeader < size) return std::nullopt;
    Frame frame{arrived_[0], arrived_.substr(kHeader, size)};
    arrived_.erase(0, kHeader + size);
    return frame;
  }

 private:
  std::string arrived_;
};

}  // namespace freshet::tool
