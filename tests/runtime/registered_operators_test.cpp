// Operators of a library in the middle of a DataStream: bytes and records with a type, keyed or
// not, with side outputs, state and timers.
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/plugin/byte_operators.h"
#include "freshet/plugin/module.h"
#include "freshet/plugin/operator_services.h"
#include "freshet/plugin/record_type.h"
#include "run_both_ways.h"

namespace freshet::testing {
namespace {

// Lines in capitals, with what the payload says behind them.
class Capitals final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    auto suffix = payload->value<std::string>();
    payload->expect_end();
    return std::make_unique<Capitals>(std::move(suffix));
  }
  explicit Capitals(std::string suffix) : suffix_(std::move(suffix)) {}

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    std::string text(rows.record(i));
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    emit(text + suffix_, rows.timestamp(i));
  }
  const std::string suffix_;
};

// Fails at one of its records, which it does not count for itself.
class Picky final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Picky>();
  }

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    if (rows.record(i) == "5007") throw Error("bad row 5007");
    emit(rows.record(i), rows.timestamp(i));
  }
};

struct Order {
  std::string customer;
  std::int64_t cents = 0;
};
struct Bill {
  std::string customer;
  std::int64_t cents = 0;
  std::int64_t orders = 0;
  auto operator<=>(const Bill&) const = default;
};
using OrderOfCustomer = Keyed<std::string, Order>;

// A bill for each customer, once event time has come to an end: state and a timer by key. What is
// above the limit goes to output 1.
class Bills final : public Operator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    const auto limit = payload->value<std::int64_t>();
    payload->expect_end();
    return std::make_unique<Bills>(limit);
  }
  explicit Bills(std::int64_t limit) : limit_(limit) {}
  static RecordTypeGetter reads() { return &record_type<OrderOfCustomer>; }
  static RecordTypeGetter writes() { return &record_type<Bill>; }

  void open(OperatorContext& context) override {
    context_ = &context;
    sums_ = &context.services().keyed_state("sums");
  }
  const RecordType* input_type(std::uint32_t) const override {
    return &record_type<OrderOfCustomer>();
  }
  void process(std::uint32_t, Batch& batch) override {
    expect_records(batch.type(), record_type<OrderOfCustomer>());
    const auto* const rows = batch.rows<OrderOfCustomer>();
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      std::string& state = sums_->at(rows[i].key);
      Bill bill = state.empty() ? Bill{rows[i].key} : from_bytes<Bill>(state);
      bill.cents += rows[i].value.cents;
      ++bill.orders;
      state = to_bytes(bill);
      context_->services().set_timer(TimeDomain::kEvent, 1'000'000, "end", "", rows[i].key);
    }
    context_->metrics(0).add(batch.size(), 0);
  }
  void timer(const Timer& timer) override {
    const Bill bill = from_bytes<Bill>(sums_->at(timer.key));
    Output& output = context_->output(bill.cents > limit_ ? 1 : 0);
    Batch& batch = output.open(record_type<Bill>());
    ::new (static_cast<void*>(batch.rows<Bill>())) Bill(bill);
    batch.set_size(1);
    output.send(batch, true);
  }
  void watermark(std::int64_t timestamp) override { context_->output(0).watermark(timestamp); }
  void end_of_input(std::uint32_t) override {}

 private:
  const std::int64_t limit_;
  OperatorContext* context_ = nullptr;
  KeyedState* sums_ = nullptr;
};

}  // namespace
}  // namespace freshet::testing

FRESHET_OPERATOR("registered.capitals", freshet::testing::Capitals);
FRESHET_OPERATOR("registered.bills", freshet::testing::Bills);
FRESHET_OPERATOR("registered.picky", freshet::testing::Picky);

namespace freshet::testing {
namespace {

TEST(RegisteredOperators, StandInTheMiddleOfAStream) {
  run_both_ways(
      [](auto& env) {
        return env.from_elements({"snow", "melts", ""})
            .filter([](const std::string& word) { return !word.empty(); })
            .template through_registered<std::string_view>("registered.capitals", payload_of("!"))
            .name("capitals")
            .map([](std::string_view word) { return std::string(word) + "?"; })
            .execute_and_collect()
            .to_vector();
      },
      std::vector<std::string>{"SNOW!?", "MELTS!?"});
}

TEST(RegisteredOperators, HaveTheStateOfTheirKeysAndSideOutputs) {
  constexpr std::int64_t kOrders = 600;
  std::map<std::string, Bill> bills;
  const auto order = [](const std::int64_t& i) {
    return Order{"customer " + std::to_string(i % 7), i};
  };
  for (std::int64_t i = 1; i <= kOrders; ++i) {
    Bill& bill = bills[order(i).customer];
    bill = {order(i).customer, bill.cents + i, bill.orders + 1};
  }
  constexpr std::int64_t kLimit = 25'800;
  std::vector<Bill> expected;
  for (auto& [customer, bill] : bills) {
    if (bill.cents > kLimit) bill.customer += ", large";
    expected.push_back(bill);
  }
  const OutputTag<Bill> large("large");
  run_both_ways(
      [&](auto& env) {
        auto made =
            env.from_sequence(1, kOrders)
                .map(order)
                .assign_timestamps(&Order::cents)
                .key_by(&Order::customer)
                .template through_registered<Bill>("registered.bills", payload_of(kLimit), large);
        return made
            .union_with(made.side_output(large).map([](const Bill& bill) {
              return Bill{bill.customer + ", large", bill.cents, bill.orders};
            }))
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(RegisteredOperators, ThatNobodyHasAreRefusedByName) {
  auto env = Way{}.environment();
  env.from_sequence(1, 3).through_registered<std::int64_t>("registered.nothing").discard();
  try {
    env.execute();
    ADD_FAILURE() << "it ran";
  } catch (const InvalidInput& refused) {
    EXPECT_NE(std::string(refused.what()).find("'registered.nothing'"), std::string::npos)
        << refused.what();
  }
}

struct SwappedBill {
  std::string customer;
  std::int64_t orders = 0;
  std::int64_t cents = 0;
};

TEST(RegisteredOperators, ThatNameTheSameFieldsInAnotherOrderAreRefused) {
  auto env = Way{}.environment();
  env.from_sequence(1, 3)
      .map([](const std::int64_t& i) {
        return Order{"ann", i};
      })
      .key_by(&Order::customer)
      .through_registered<SwappedBill>("registered.bills", payload_of(std::int64_t{1}))
      .discard();
  try {
    env.execute();
    ADD_FAILURE() << "it ran";
  } catch (const InvalidInput& refused) {
    EXPECT_NE(std::string(refused.what()).find("and these names stand in another order"),
              std::string::npos)
        << refused.what();
  }
}

TEST(RegisteredOperators, ThatMakeOtherRecordsFailTheJobByName) {
  auto env = Way{}.environment();
  env.from_elements({"snow"})
      .through_registered<std::int64_t>("registered.capitals", payload_of(""))
      .discard();
  try {
    env.execute();
    ADD_FAILURE() << "it ran";
  } catch (const JobFailed& failed) {
    EXPECT_EQ(failed.failure().operator_name, "registered.capitals");
    EXPECT_NE(failed.failure().message.find("writes records of schema string"), std::string::npos)
        << failed.failure().message;
  }
}

// A job's failure; the operator before it counts in stages and records, which are not its own.
TEST(RegisteredOperators, FailAtNoRecordRatherThanAtOneOfTheOperatorBefore) {
  for (const Way& way : {Way{true, true, 0, 1}, Way{false, true, 0, 1}, Way{true, false, 0, 1}}) {
    SCOPED_TRACE(way.text());
    auto env = way.environment();
    env.from_sequence(1, 10'000)
        .map([](std::int64_t n) { return n; })
        .map([](std::int64_t n) { return std::to_string(n); })
        .through_registered<std::string_view>("registered.picky")
        .discard();
    try {
      env.execute();
      ADD_FAILURE() << "it ran";
    } catch (const JobFailed& failed) {
      EXPECT_EQ(failed.failure().operator_name, "registered.picky");
      EXPECT_EQ(failed.failure().message, "bad row 5007");
      EXPECT_EQ(failed.failure().record, 0u);
    }
  }
}

void expect_views_are_named(const Way& way) {
  auto env = way.environment();
  env.from_elements({"snow"})
      .through_registered<std::string>("registered.capitals", payload_of(""))
      .print();
  try {
    env.execute();
    ADD_FAILURE() << "it ran";
  } catch (const JobFailed& failed) {
    const std::string what = failed.what();
    EXPECT_NE(what.find("'registered.capitals' writes records string of 16 bytes aligned to 8 "
                        "(std::string_view), 'print' reads string of 32 bytes aligned to 8"),
              std::string::npos)
        << what;
    EXPECT_NE(what.find("through_registered<std::string_view>()"), std::string::npos) << what;
  }
}

TEST(RegisteredOperators, ThatWriteViewsWhereTheJobSaysStringsAreNamedWithTheRemedy) {
  expect_views_are_named({true, true, 0, 1});
}

TEST(RegisteredOperators, ThatWriteViewsToAnotherTaskAreNamedWithTheRemedy) {
  expect_views_are_named({true, false, 0, 1});
}

}  // namespace
}  // namespace freshet::testing
