// What docs/users/coming-from-flink.md shows, compiled and run.
#include <freshet/freshet.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using freshet::StreamExecutionEnvironment;

struct Order {
  std::string customer;
  std::int64_t time_ms;
  double amount;
};

static std::vector<Order> some_orders() {
  return {{"ann", 1'000, 12.5}, {"bob", 2'000, 40}, {"ann", 3'000, 7.25}};
}

static double rate_of(const std::string& currency) { return currency == "CHF" ? 1.05 : 1; }

struct InEuros {
  std::string currency;
  double rate = 0;

  void open(freshet::RuntimeContext&) { rate = rate_of(currency); }
  double operator()(const Order& order) const { return order.amount * rate; }
  void write_bound(freshet::PayloadWriter& to) const { to.value(currency); }
  static InEuros read_bound(freshet::PayloadReader& from) { return {from.value<std::string>()}; }
};

static void word_count(const std::string& path) {
  auto env = StreamExecutionEnvironment::get_execution_environment();
  env.read_text(path)
      .flat_map<std::string_view>([](std::string_view line, auto& out) {
        for (std::size_t at = 0; (at = line.find_first_not_of(' ', at)) != line.npos;) {
          const std::size_t end = std::min(line.find(' ', at), line.size());
          out(line.substr(at, end - at));
          at = end;
        }
      })
      .key_by()
      .count()
      .print();
  env.execute("word count");
}

static void orders_of(const std::string& name) {
  auto env = StreamExecutionEnvironment::get_execution_environment();
  auto orders = env.from_collection(some_orders());
  auto of_customer = orders.filter(
      [](const Order& order, const std::string& wanted) { return order.customer == wanted; }, name);
  auto timed = orders.assign_timestamps(&Order::time_ms, /*out_of_orderness_ms=*/5'000);

  of_customer.map(InEuros{"CHF"}).print();
  timed.discard();
  const std::unique_ptr<freshet::JobClient> client = env.execute_async("orders");
  const freshet::JobResult result = client->result().get();
  std::printf("%s: %s\n", result.job_name.c_str(), freshet::name_of(result.status));
}

int coming_from_flink(int argc, char** argv) {
  word_count(argc > 1 ? argv[1] : "/usr/share/common-licenses");
  orders_of("ann");
  return 0;
}

FRESHET_APPLICATION(coming_from_flink);
