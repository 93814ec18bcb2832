#include "links/envelope.h"

#include <algorithm>

#include "bounds/bounds.h"
#include "links/link.h"
#include "links/not_known.h"
#include "links/packing.h"

namespace freshet::core {
namespace {

// Walks a value and counts; keeps nothing of it.
class Measure : public msgpack::null_visitor {
 public:
  explicit Measure(const FrameLimits& limits) : limits_(limits) {}

  bool visit_nil() { return one(); }
  bool visit_boolean(bool) { return one(); }
  bool visit_positive_integer(std::uint64_t) { return one(); }
  bool visit_negative_integer(std::int64_t) { return one(); }
  bool visit_float32(float) { return one(); }
  bool visit_float64(double) { return one(); }
  bool visit_str(const char*, std::uint32_t) { return one(); }
  bool visit_bin(const char*, std::uint32_t) { return one(); }
  bool visit_ext(const char*, std::uint32_t) { return one(); }
  bool start_array(std::uint32_t elements) { return one() && enter(elements); }
  bool end_array() { return leave(); }
  bool start_map(std::uint32_t pairs) { return one() && enter(std::uint64_t{pairs} * 2); }
  bool end_map() { return leave(); }

  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) { cut_short_ = true; }

  std::string why() const {
    if (too_many_) return "more than " + std::to_string(limits_.values) + " values";
    if (too_deep_) return "more than " + std::to_string(limits_.depth) + " values deep";
    if (cut_short_) return "cut short";
    return "no MessagePack";
  }

 private:
  bool one() {
    if (++values_ > limits_.values) too_many_ = true;
    return !too_many_;
  }
  // Before the parser notes anything of what is announced.
  bool enter(std::uint64_t elements) {
    if (elements > limits_.values - values_) too_many_ = true;
    if (++depth_ > limits_.depth) too_deep_ = true;
    return !too_many_ && !too_deep_;
  }
  bool leave() {
    --depth_;
    return true;
  }

  const FrameLimits& limits_;
  std::size_t values_ = 0;
  std::size_t depth_ = 0;
  bool too_many_ = false, too_deep_ = false, cut_short_ = false;
};

// Moves `offset` behind one value.
void check_value(std::string_view bytes, std::size_t& offset, const FrameLimits& limits,
                 const char* what) {
  if (offset >= bytes.size()) throw InvalidInput(std::string("a frame without ") + what);
  Measure measure(limits);
  if (!msgpack::parse(bytes.data(), bytes.size(), offset, measure)) {
    throw InvalidInput(std::string("the ") + what + " of a frame is refused: " + measure.why());
  }
}

}  // namespace

std::string encode_frame(const Envelope& envelope, std::string_view body) {
  msgpack::sbuffer buffer(64 + envelope.kind.size() + body.size());
  msgpack::pack(buffer, envelope);
  buffer.write(body.data(), body.size());
  return {buffer.data(), buffer.size()};
}

Frame decode_frame(std::string_view bytes, const FrameLimits& limits) {
  if (bytes.size() > limits.bytes) {
    throw InvalidInput("a frame of " + std::to_string(bytes.size()) +
                       " bytes is above the limit of " + std::to_string(limits.bytes));
  }
  FrameLimits of_envelope = limits;
  of_envelope.values = std::min<std::size_t>(limits.values, 256);
  std::size_t envelope_end = 0;
  check_value(bytes, envelope_end, of_envelope, "envelope");
  std::size_t end = envelope_end;
  check_value(bytes, end, limits, "body");
  if (end != bytes.size()) {
    throw InvalidInput("a frame has " + std::to_string(bytes.size() - end) +
                       " bytes behind its body");
  }
  Frame frame;
  try {
    const auto handle =
        msgpack::unpack(bytes.data(), envelope_end, [](auto, auto, void*) { return true; });
    handle.get().convert(frame.envelope);
  } catch (const std::exception&) {
    throw InvalidInput("a frame does not begin with an envelope");
  }
  frame.body = bytes.substr(envelope_end);
  return frame;
}

NotKnown::~NotKnown() = default;

std::string error_body(const std::exception_ptr& error) {
  ErrorBody body;
  try {
    std::rethrow_exception(error);
  } catch (const NotKnown& not_known) {
    body = {"NotKnown", not_known.what()};
  } catch (const InvalidInput& invalid) {
    body = {"InvalidInput", invalid.what()};
  } catch (const std::exception& other) {
    body = {"Error", other.what()};
  } catch (...) {
    body = {"Error", "an exception of an unknown type"};
  }
  body.text = cut_to(kMostFailureBytes, std::move(body.text));
  return pack_body(body);
}

std::exception_ptr error_of(std::string_view body) {
  try {
    const auto error = unpack_body<ErrorBody>("error", body);
    if (error.type == "NotKnown") return std::make_exception_ptr(NotKnown(error.text));
    if (error.type == "InvalidInput") return std::make_exception_ptr(InvalidInput(error.text));
    return std::make_exception_ptr(RemoteError(error.text));
  } catch (...) {
    return std::current_exception();
  }
}

InvalidInput unreadable_body(const char* kind, const char* why) {
  return InvalidInput(std::string("the body of '") + kind + "' is not what it should be: " + why);
}

}  // namespace freshet::core
