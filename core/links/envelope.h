// The form of a frame: an envelope, which is a MessagePack map, and behind it the body, which is
// one MessagePack value to the frame's end.
//
//   {"v": 1, "t": 3, "k": "submit-job", "s": 7, "a": 5, "r": 2}{"job": ..., ...}
//
// What a newer sender adds is skipped, what an older one leaves out keeps its default, in envelope
// and body alike. A change that this does not cover is another protocol version, which a hello
// refuses with both numbers; so `v`, `t`, and what the bodies Hello and Refusal hold stay as they
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "freshet/error.h"
#include "links/fields.h"

namespace freshet::core {

inline constexpr int kProtocolVersion = 1;

// What a frame may ask of its reader, checked before anything is made of it.
struct FrameLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t depth = 32;
  std::size_t values = std::size_t{1} << 21;  // each becomes an object of 24 bytes
};

enum class FrameType : std::uint8_t {
  kHello = 1,      // dialer: begins or resumes a link. Body: Hello
  kWelcome = 2,    // listener's answer. Body: Welcome
  kMessage = 3,    // numbered; "r" is 0
  kRequest = 4,    // numbered; "r" is what the answer will carry
  kAnswer = 5,     // numbered; "e": the body is an ErrorBody
  kHeartbeat = 6,  // "s": the last number sent
  kResend = 7,     // what comes after "a" has not arrived
  kGoodbye = 8,    // the link is over. Body: Refusal
  kRefused = 9,    // there will be no link, or it is over. Body: Refusal
};

struct Envelope {
  int version = kProtocolVersion;
  std::uint8_t type = 0;
  std::string kind;
  std::uint64_t sequence = 0;         // of this frame, from 1
  std::uint64_t acknowledgement = 0;  // of kResend: what has arrived; else what has had its turn
  std::uint64_t request = 0;
  bool error = false;
  FRESHET_MESSAGE_FIELDS_AS("v, t, k, s, a, r, e", version, type, kind, sequence, acknowledgement,
                            request, error);
};

struct Hello {
  std::uint8_t role = 0;
  std::string name;
  std::string incarnation;
  std::string expects;         // the listener's incarnation, once known
  std::uint64_t link = 0;      // of the dialer's links
  std::uint64_t attempt = 0;   // grows with each hello of the link
  std::uint64_t received = 0;  // the last number that has arrived
  FRESHET_MESSAGE_FIELDS(role, name, incarnation, expects, link, attempt, received);
};

struct Welcome {
  std::uint8_t role = 0;
  std::string name;
  std::string incarnation;
  std::uint64_t attempt = 0;  // of the hello
  std::uint64_t received = 0;
  // Of the listener, whose cluster it is: both sides keep to it. 0: an older release.
  std::int64_t heartbeat_interval_ms = 0;
  std::int64_t heartbeat_timeout_ms = 0;
  FRESHET_MESSAGE_FIELDS(role, name, incarnation, attempt, received, heartbeat_interval_ms,
                         heartbeat_timeout_ms);
};

struct Refusal {
  std::string reason;
  std::uint64_t attempt = 0;  // of the hello; 0: a goodbye
  bool replaced = false;      // another process has this one's role, name and key
  bool left = false;          // of a goodbye: its sender has ended it, and has not lost it
  FRESHET_MESSAGE_FIELDS(reason, attempt, replaced, left);
};

struct ErrorBody {
  std::string type;  // "InvalidInput", "NotKnown", or anything else: RemoteError
  std::string text;
  FRESHET_MESSAGE_FIELDS(type, text);
};

struct Frame {
  Envelope envelope;
  std::string_view body;  // lies in the frame's bytes
};

FRESHET_API std::string encode_frame(const Envelope& envelope, std::string_view body);
// Allocates nothing but the envelope's kind. Throws InvalidInput: longer, deeper or of more values
// than the limits, cut short, no envelope, more or less than one body.
FRESHET_API Frame decode_frame(std::string_view bytes, const FrameLimits& limits = {});

FRESHET_API std::string error_body(const std::exception_ptr& error);
FRESHET_API std::exception_ptr error_of(std::string_view body);

FRESHET_API InvalidInput unreadable_body(const char* kind, const char* why);

}  // namespace freshet::core
