#include "json_lines.h"

#include <freshet/error.h>
#include <simdjson.h>

#include <cstdint>
#include <string>

namespace nexmark {

namespace {

// Far above any sum of money, far below where arithmetic on it overflows.
constexpr std::int64_t kHighestPrice = 1'000'000'000'000'000;

[[noreturn]] void refuse(const std::string& what, std::string_view line) {
  constexpr std::size_t kShown = 120;
  std::string shown(line.substr(0, kShown));
  for (char& byte : shown) {
    if (byte < ' ' || byte > '~') byte = '?';
  }
  throw freshet::InvalidInput("not an event, " + what + ": " + shown +
                              (line.size() > kShown ? "..." : ""));
}

// The fields of one line. Each is looked for where the one before ended.
class Fields {
 public:
  Fields(simdjson::dom::object object, std::string_view line) : object_(object), line_(line) {}

  void read(const char* name, std::int64_t& to) const {
    if (const auto error = object_[name].get_int64().get(to)) fail(name, "an integer", error);
  }
  void read(const char* name, std::string& to) const {
    std::string_view text;
    if (const auto error = object_[name].get_string().get(text)) fail(name, "a string", error);
    to = text;
  }
  void read_price(const char* name, std::int64_t& to) const {
    read(name, to);
    if (to >= 0 && to <= kHighestPrice) return;
    refuse("'" + std::string(name) + "' is " + std::to_string(to) + " and not a price of 0 to " +
               std::to_string(kHighestPrice) + " cents",
           line_);
  }

 private:
  [[noreturn]] void fail(const char* name, const char* expected, simdjson::error_code error) const {
    const std::string field = "'" + std::string(name) + "'";
    if (error == simdjson::NO_SUCH_FIELD) refuse("it has no " + field, line_);
    refuse(field + " is not " + expected, line_);
  }

  simdjson::dom::object object_;
  std::string_view line_;
};

Person person(const Fields& fields) {
  Person made{};
  fields.read("id", made.id);
  fields.read("name", made.name);
  fields.read("emailAddress", made.email_address);
  fields.read("creditCard", made.credit_card);
  fields.read("city", made.city);
  fields.read("state", made.state);
  fields.read("dateTime", made.date_time);
  fields.read("extra", made.extra);
  return made;
}

Auction auction(const Fields& fields) {
  Auction made{};
  fields.read("id", made.id);
  fields.read("itemName", made.item_name);
  fields.read("description", made.description);
  fields.read_price("initialBid", made.initial_bid);
  fields.read_price("reserve", made.reserve);
  fields.read("dateTime", made.date_time);
  fields.read("expires", made.expires);
  fields.read("seller", made.seller);
  fields.read("category", made.category);
  fields.read("extra", made.extra);
  return made;
}

Bid bid(const Fields& fields) {
  Bid made{};
  fields.read("auction", made.auction);
  fields.read("bidder", made.bidder);
  fields.read_price("price", made.price);
  fields.read("channel", made.channel);
  fields.read("url", made.url);
  fields.read("dateTime", made.date_time);
  fields.read("extra", made.extra);
  return made;
}

}  // namespace

Event parse_event(std::string_view line) {
  // Keeps its buffers. A task stays on its thread, and nothing below lets another one run.
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (const auto error = parser.parse(line.data(), line.size()).get_object().get(object)) {
    if (error == simdjson::INCORRECT_TYPE) refuse("it is no JSON object", line);
    refuse(std::string("it is no JSON (") + simdjson::error_message(error) + ")", line);
  }
  const Fields fields(object, line);
  std::string type;
  fields.read("type", type);
  if (type == "bid") return bid(fields);
  if (type == "auction") return auction(fields);
  if (type == "person") return person(fields);
  refuse("'type' is '" + type + "' and neither person, auction nor bid", line);
}

}  // namespace nexmark
