// An application whose functions travel in every way there is; argv[1] says which job it runs. Its
// first line, on the standard error, tells that main has run.
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "parts.h"

namespace {

using freshet::StreamExecutionEnvironment;
using parts::Lines;
using parts::Numbers;
using parts::Order;

parts::Numbers alike(parts::Numbers numbers) {
  return numbers.map([](const std::int64_t& i) { return i + 1000; });
}

bool is_even(const std::int64_t& i) { return i % 2 == 0; }

// Neither empty nor trivially copyable: as an aggregate it has a Serde.
struct Wrapped {
  std::string before, after;
  std::string operator()(const std::string& s) const { return before + s + after; }
};

// A class with a Serde of its own.
class Remembers {
 public:
  explicit Remembers(std::vector<std::int64_t> numbers) : numbers_(std::move(numbers)) {}
  const std::vector<std::int64_t>& numbers() const { return numbers_; }
  bool operator()(std::int64_t i) const {
    return std::find(numbers_.begin(), numbers_.end(), i % 10) != numbers_.end();
  }

 private:
  std::vector<std::int64_t> numbers_;
};

// Tells where a key's records are handled.
struct NameSubtask {
  std::uint32_t subtask = 0;
  void open(freshet::RuntimeContext& context) { subtask = context.subtask_index(); }
  std::string operator()(const std::pair<std::string, std::int64_t>& count) const {
    return count.first + ":" + std::to_string(count.second) + "@" + std::to_string(subtask);
  }
};

}  // namespace

template <>
struct freshet::Serde<Remembers> {
  static void write(ByteWriter& to, const Remembers& r) {
    Serde<std::vector<std::int64_t>>::write(to, r.numbers());
  }
  static Remembers read(ByteReader& from) {
    return Remembers(Serde<std::vector<std::int64_t>>::read(from));
  }
  static void describe(SchemaBuilder& schema) { schema.field<std::vector<std::int64_t>>(); }
};

namespace parts {

Numbers alike_here(Numbers numbers) { return alike(std::move(numbers)); }

}  // namespace parts

namespace {

void collect(const Lines& lines) {
  for (const std::string& line : lines.execute_and_collect("travel")) std::puts(line.c_str());
}

std::string line_of(const char* what, std::int64_t i) {
  return std::string(what) + " " + std::to_string(i);
}

void run_functions(StreamExecutionEnvironment& env) {
  std::int64_t step = 3;  // not const: that would need no capture
  const std::int64_t offset = static_cast<std::int64_t>(std::strlen("four"));
  const bool odd = offset % 2 != 0;
  const Numbers numbers = env.from_sequence(1, 100);
  const auto as_line = [](const std::int64_t& i, const std::string& what) {
    return line_of(what.c_str(), i);
  };
  const Lines captured =
      numbers.map([step, offset, odd](std::int64_t i) { return odd ? -i : i * step + offset; })
          .name("captured")
          .map(as_line, std::string("captured"));
  const Lines bound =
      numbers
          .flat_map<std::string>(
              [](std::int64_t i, auto& out, const std::string& text, std::int64_t least) {
                for (std::int64_t k = least; k < i % 4; ++k) out(text + std::to_string(k));
              },
              std::string("a text longer than what a string holds in itself"), std::int64_t{1})
          .filter([](const std::string& s, const std::string& not_this) { return s != not_this; },
                  std::string("nothing"));
  const Lines pointers = numbers.filter(&is_even).map(parts::hidden_function()).name("pointers");
  const Lines templates =
      numbers.map(parts::Times<7>{}).map(&parts::plus<5>).map(as_line, std::string("template"));
  const auto orders = env.generate(
      [](std::uint64_t i) {
        return Order{i % 3 == 0 ? "ann" : "bob", static_cast<std::int64_t>(i)};
      },
      50);
  const Lines members = orders.map(&Order::doubled).map(as_line, std::string("doubled"));
  const Lines data = orders.map(&Order::customer).map(Wrapped{"[", "]"});
  const Lines objects = numbers.filter(Remembers({3, 5})).map(as_line, std::string("object"));
  const Lines alike_here = parts::alike_here(numbers).map(as_line, std::string("here"));
  const Lines alike_there = parts::alike_there(numbers).map(as_line, std::string("there"));
  collect(captured.union_with(bound, pointers, templates, members, data, objects, alike_here,
                              alike_there));
}

void run_operators(StreamExecutionEnvironment& env) {
  const freshet::OutputTag<std::string> large{"large"};
  auto words = env.generate([](std::uint64_t i) { return "w" + std::to_string(i * i % 97); }, 3000)
                   .rebalance()
                   .process(
                       [](const std::string& word, freshet::ProcessContext& context,
                          freshet::Collector<std::string>& out) {
                         if (word.size() > 2) {
                           context.output(freshet::OutputTag<std::string>{"large"}, word);
                         } else {
                           out(word);
                         }
                       },
                       large);
  // Which subtask has a key follows from its hash alone.
  const Lines where = words.side_output(large).key_by().count().map(NameSubtask{});
  const Lines timed =
      words
          .assign_timestamps(
              [](const std::string& word) { return static_cast<std::int64_t>(word.size()); })
          .key_by([](const std::string& word) { return word.back(); })
          .reduce([](const std::string& a, const std::string& b) { return a < b ? a : b; });
  const auto numbers = env.from_sequence(0, 999).shuffle();
  const auto key = [](std::int64_t i) { return i % 7; };
  const auto itself = [](std::int64_t i) { return i; };
  const auto as_line = [](const std::pair<std::int64_t, std::int64_t>& row, const std::string& of) {
    return of + " " + std::to_string(row.first) + " " + std::to_string(row.second);
  };
  const Lines sums = numbers.key_by(key).sum(itself).map(as_line, std::string("sum"));
  const Lines least = numbers.key_by(key).min(itself).map(as_line, std::string("min"));
  const Lines greatest = numbers.key_by(key).max(itself).map(as_line, std::string("max"));
  const Lines elements = env.from_elements({"an", "element"});
  collect(where.union_with(timed, sums, least, greatest, elements));
}

std::int64_t global_number = 5;

struct Owner {
  std::int64_t factor = 2;
  auto multiply() const {
    return [this](std::int64_t i) { return i * factor; };
  }
};

// Each must be refused at execute().
void run_mistake(StreamExecutionEnvironment& env, const std::string& what) {
  const auto numbers = env.from_sequence(1, 3);
  const auto run = [&env](const auto& stream) {
    stream.name("my map").discard();
    env.execute();
  };
  std::int64_t local = 7;
  const std::string text = "a text longer than what a string holds in itself";
  if (what == "reference") {
    run(numbers.map(
        [first = std::int64_t{1}, &local](std::int64_t i) { return i + first + local; }));
  } else if (what == "pointer") {
    const auto heap = std::make_unique<std::int64_t>(3);
    run(numbers.map([a = 1, b = 2, p = heap.get()](std::int64_t i) { return i + a + b + *p; }));
  } else if (what == "view") {
    run(numbers.map([view = std::string_view(text)](std::int64_t i) {
      return i + static_cast<std::int64_t>(view.size());
    }));
  } else if (what == "global") {
    run(numbers.map([&global = global_number](std::int64_t i) { return i + global; }));
  } else if (what == "this") {
    run(numbers.map(Owner{}.multiply()));
  } else if (what == "key") {
    numbers.key_by([&local](std::int64_t i) { return i % local; }).count().discard();
    env.execute();
  } else if (what == "sink") {
    struct Adds {
      std::int64_t* total;
      void write(std::int64_t i) { *total += i; }
    };
    numbers.sink_to(Adds{&local}).name("my sink");
    env.execute();
  } else if (what == "libc") {
    run(env.from_elements({1, 2}).map(static_cast<int (*)(int)>(&std::toupper)));
  } else if (what == "uid") {
    numbers.map(parts::Times<2>{})
        .name("first")
        .uid("same")
        .map(parts::Times<3>{})
        .name("second")
        .uid("same")
        .discard();
    env.execute();
  }
}

// A number with the value of an address, said to be a number.
void run_number(StreamExecutionEnvironment& env) {
  std::int64_t local = 0;
  const auto number = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(&local));
  collect(env.from_sequence(1, 3)
              .map([number](std::int64_t i) { return number > 0 ? i : -i; })
              .captures_no_pointers()
              .map([](std::int64_t i) { return std::to_string(i); }));
}

// One shape, other names.
void run_shape(StreamExecutionEnvironment& env, const std::string& name) {
  collect(env.from_sequence(1, 9)
              .name(name + " source")
              .filter(&is_even)
              .name(name)
              .key_by()
              .count()
              .uid("counts")
              .name(name + " counts")
              .map([](const auto& row) { return std::to_string(row.first); })
              .name(name + " lines"));
}

int travel(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::string which = argc > 2 ? argv[2] : "";
  std::fputs("main runs\n", stderr);
  auto env = StreamExecutionEnvironment::get_execution_environment();
  env.set_parallelism(4);
  if (what == "functions") run_functions(env);
  if (what == "operators") run_operators(env);
  if (what == "mistake") run_mistake(env, which);
  if (what == "number") run_number(env);
  if (what == "shape") run_shape(env, which);
  return 0;
}

}  // namespace

FRESHET_APPLICATION(travel);
