// What workers of a job, and clients that collect rows, say to each other beside frames of elements
// (exchange/frame.h). Each message begins with a DataKind and three zero bytes. One that is larger
// than a frame may be, as a record of 100 MB makes it, goes in pieces, one behind the other, which
// the other side puts together.
//
// Threads    Values and functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/frame.h"
#include "freshet/api.h"
#include "network/network_thread.h"

namespace freshet::core {

inline constexpr std::uint16_t kDataProtocolVersion = 1;

// The first message of a connection, from the side that has connected.
struct DataHello {
  enum class Role : std::uint8_t { worker, reader };
  Role role = Role::worker;
  std::string job_id;
  std::uint32_t worker = 0;   // its number
  std::string vertex;         // of a reader: uid or id of the collecting vertex
  std::uint32_t credits = 0;  // of a reader: messages of rows that it has room for
};

struct Credits {
  std::uint32_t channel = 0;
  std::uint32_t credits = 0;
};

struct SplitWanted {
  std::uint64_t request = 0;
  std::uint32_t vertex = 0;
  std::uint32_t subtask = 0;
};

struct SplitAnswer {
  std::uint64_t request = 0;
  std::optional<std::string> split;
  std::string error;  // empty: none
};

// The end of collected rows.
struct RowsEnd {
  std::string error;  // empty: all have been sent
};

FRESHET_API std::string to_message(const DataHello& hello);
FRESHET_API std::string to_message(const std::vector<Credits>& credits);
FRESHET_API std::string to_message(const SplitWanted& wanted);
FRESHET_API std::string to_message(const SplitAnswer& answer);
FRESHET_API std::string to_message(const RowsEnd& end);
FRESHET_API std::string refusal(std::string_view reason);
FRESHET_API std::string rows_message(std::string_view rows);
FRESHET_API std::string rows_credit(std::uint32_t credits);
FRESHET_API std::string rows_done();

inline constexpr std::size_t kPieceBytes = std::size_t{16} << 20;
// The piece of a message from that place on.
FRESHET_API std::string piece_of(std::string_view message, std::size_t at);

// Puts the pieces that come by one connection together.
class FRESHET_API Pieces {
 public:
  // The whole message with its last piece, else null. Throws DecodeError.
  std::unique_ptr<NetworkMessage> add(std::string_view piece);

 private:
  std::unique_ptr<NetworkMessage> whole_;
  std::size_t at_ = 0;
};

// These throw DecodeError.
FRESHET_API DataKind kind_of(std::string_view message);
// Also if it is of another version, with both.
FRESHET_API DataHello read_hello(std::string_view message);
FRESHET_API std::vector<Credits> read_credits(std::string_view message);
FRESHET_API SplitWanted read_split_wanted(std::string_view message);
FRESHET_API SplitAnswer read_split_answer(std::string_view message);
FRESHET_API RowsEnd read_rows_end(std::string_view message);
FRESHET_API std::string_view read_refusal(std::string_view message);
FRESHET_API std::string_view read_rows(std::string_view message);
FRESHET_API std::uint32_t read_rows_credit(std::string_view message);
// The channel of a frame of elements.
FRESHET_API std::uint32_t channel_of(std::string_view frame);

}  // namespace freshet::core
