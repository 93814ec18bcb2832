#include "exchange/data_messages.h"

#include <algorithm>
#include <cstring>

#include "bounds/bounds.h"

namespace freshet::core {

namespace {

constexpr std::uint32_t kMagic = 0x44535246;  // "FRSD"
constexpr std::size_t kLongestText = 64 * 1024;

ByteWriter begin(DataKind kind) {
  ByteWriter writer;
  writer.write_fixed(static_cast<std::uint32_t>(kind));
  return writer;
}
std::string text_of(const ByteWriter& writer) { return std::string(writer.view()); }

ByteReader body_of(std::string_view message, DataKind kind) {
  ByteReader reader(message);
  const auto got = reader.read_fixed<std::uint32_t>("kind of a message");
  if (got != static_cast<std::uint32_t>(kind)) {
    reader.fail_value("kind of a message", got, std::to_string(static_cast<int>(kind)).c_str());
  }
  return reader;
}
std::string short_text(ByteReader& reader, const char* what) {
  const std::string_view text = reader.read_string(what);
  if (text.size() > kLongestText) reader.fail_value(what, text.size(), "at most 65536 bytes");
  return std::string(text);
}
std::string_view rest(ByteReader& reader) {
  const std::size_t size = reader.remaining();
  return {reader.take(size, "rest of a message"), size};
}

}  // namespace

std::string to_message(const DataHello& hello) {
  ByteWriter writer = begin(DataKind::hello);
  writer.write_fixed(kMagic);
  writer.write_fixed(kDataProtocolVersion);
  writer.write_fixed(hello.role);
  writer.write_string(hello.job_id);
  writer.write_fixed(hello.worker);
  writer.write_string(hello.vertex);
  writer.write_fixed(hello.credits);
  return text_of(writer);
}

std::string to_message(const std::vector<Credits>& credits) {
  ByteWriter writer = begin(DataKind::credits);
  for (const Credits& of : credits) {
    writer.write_fixed(of.channel);
    writer.write_fixed(of.credits);
  }
  return text_of(writer);
}

std::string to_message(const SplitWanted& wanted) {
  ByteWriter writer = begin(DataKind::split_wanted);
  writer.write_fixed(wanted.request);
  writer.write_fixed(wanted.vertex);
  writer.write_fixed(wanted.subtask);
  return text_of(writer);
}

std::string to_message(const SplitAnswer& answer) {
  ByteWriter writer = begin(DataKind::split);
  writer.write_fixed(answer.request);
  const std::uint8_t form = !answer.error.empty() ? 2 : answer.split ? 1 : 0;
  writer.write_fixed(form);
  if (form == 2) writer.write_string(cut_to(kLongestText, answer.error));
  if (form == 1) writer.write_string(*answer.split);
  return text_of(writer);
}

std::string to_message(const RowsEnd& end) {
  ByteWriter writer = begin(DataKind::rows_end);
  writer.write_string(cut_to(kLongestText, end.error));
  return text_of(writer);
}

std::string refusal(std::string_view reason) {
  ByteWriter writer = begin(DataKind::refused);
  writer.write_string(cut_to(kLongestText, std::string(reason)));
  return text_of(writer);
}

std::string rows_message(std::string_view rows) {
  ByteWriter writer = begin(DataKind::rows);
  writer.write(rows.data(), rows.size());
  return text_of(writer);
}

std::string rows_credit(std::uint32_t credits) {
  ByteWriter writer = begin(DataKind::rows_credit);
  writer.write_fixed(credits);
  return text_of(writer);
}

std::string rows_done() { return text_of(begin(DataKind::rows_done)); }

// ---- pieces --------------------------------------------------------------------------------

std::string piece_of(std::string_view message, std::size_t at) {
  ByteWriter writer = begin(DataKind::piece);
  writer.write_fixed(static_cast<std::uint64_t>(message.size()));
  const std::string_view bytes = message.substr(at, kPieceBytes);
  writer.write(bytes.data(), bytes.size());
  return text_of(writer);
}

std::unique_ptr<NetworkMessage> Pieces::add(std::string_view piece) {
  ByteReader reader = body_of(piece, DataKind::piece);
  const auto size = reader.read_fixed<std::uint64_t>("size of a message in pieces");
  const std::string_view bytes = rest(reader);
  if (!whole_) {
    whole_ = std::make_unique<NetworkMessage>();
    at_ = 0;
    zmq_msg_t& raw = *whole_;
    constexpr std::uint64_t kMost = std::uint64_t{64} << 30;
    if (size > kMost || zmq_msg_init_size(&raw, size) != 0) {
      zmq_msg_init(&raw);
      whole_.reset();
      throw DecodeError("a message of " + std::to_string(size) +
                        " bytes comes in pieces, for which there is not enough memory");
    }
  }
  if (size != whole_->size() || bytes.empty() || bytes.size() > size - at_) {
    throw DecodeError("a piece of " + std::to_string(bytes.size()) + " bytes of a message of " +
                      std::to_string(size) + " does not follow " + std::to_string(at_) + " of " +
                      std::to_string(whole_->size()));
  }
  zmq_msg_t& raw = *whole_;
  std::memcpy(static_cast<char*>(zmq_msg_data(&raw)) + at_, bytes.data(), bytes.size());
  at_ += bytes.size();
  return at_ == size ? std::move(whole_) : nullptr;
}

DataKind kind_of(std::string_view message) {
  ByteReader reader(message);
  const auto kind = reader.read_fixed<std::uint32_t>("kind of a message");
  if (kind < static_cast<std::uint32_t>(DataKind::hello) ||
      kind > static_cast<std::uint32_t>(DataKind::piece)) {
    reader.fail_value("kind of a message", kind, "1 to 11");
  }
  return static_cast<DataKind>(kind);
}

DataHello read_hello(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::hello);
  const auto magic = reader.read_fixed<std::uint32_t>("first word of a hello");
  if (magic != kMagic) reader.fail_value("first word of a hello", magic, "1146311238");
  const auto version = reader.read_fixed<std::uint16_t>("protocol version");
  if (version != kDataProtocolVersion) {
    throw DecodeError("the peer speaks version " + std::to_string(version) +
                      " of the data protocol, this process version " +
                      std::to_string(kDataProtocolVersion) +
                      ": run one version of Freshet on all hosts");
  }
  DataHello hello;
  const auto role = reader.read_fixed<std::uint8_t>("role");
  if (role > 1) reader.fail_value("role", role, "0 or 1");
  hello.role = static_cast<DataHello::Role>(role);
  hello.job_id = short_text(reader, "job id");
  hello.worker = reader.read_fixed<std::uint32_t>("number of a worker");
  hello.vertex = short_text(reader, "vertex id");
  hello.credits = reader.read_fixed<std::uint32_t>("credits");
  reader.expect_end("end of a hello");
  return hello;
}

std::vector<Credits> read_credits(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::credits);
  std::vector<Credits> credits;
  while (!reader.at_end()) {
    Credits& of = credits.emplace_back();
    of.channel = reader.read_fixed<std::uint32_t>("number of a channel");
    of.credits = reader.read_fixed<std::uint32_t>("credits");
  }
  return credits;
}

SplitWanted read_split_wanted(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::split_wanted);
  SplitWanted wanted;
  wanted.request = reader.read_fixed<std::uint64_t>("number of a request");
  wanted.vertex = reader.read_fixed<std::uint32_t>("place of a vertex");
  wanted.subtask = reader.read_fixed<std::uint32_t>("number of a subtask");
  reader.expect_end("end of a request for a split");
  return wanted;
}

SplitAnswer read_split_answer(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::split);
  SplitAnswer answer;
  answer.request = reader.read_fixed<std::uint64_t>("number of a request");
  const auto form = reader.read_fixed<std::uint8_t>("form of an answer");
  if (form > 2) reader.fail_value("form of an answer", form, "0 to 2");
  if (form == 1) answer.split = std::string(reader.read_string("split"));
  if (form == 2) answer.error = short_text(reader, "error");
  reader.expect_end("end of an answer");
  return answer;
}

RowsEnd read_rows_end(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::rows_end);
  RowsEnd end;
  end.error = short_text(reader, "error");
  reader.expect_end("end of a message");
  return end;
}

std::string_view read_refusal(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::refused);
  return reader.read_string("reason");
}

std::string_view read_rows(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::rows);
  return rest(reader);
}

std::uint32_t read_rows_credit(std::string_view message) {
  ByteReader reader = body_of(message, DataKind::rows_credit);
  const auto credits = reader.read_fixed<std::uint32_t>("credits");
  reader.expect_end("end of a message");
  return credits;
}

std::uint32_t channel_of(std::string_view frame) {
  ByteReader reader = body_of(frame, DataKind::elements);
  return reader.read_fixed<std::uint32_t>("number of a channel");
}

}  // namespace freshet::core
