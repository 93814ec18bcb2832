// The control: what the other programs here do wrong, done right. It compiles without a warning.
#include <freshet/freshet.h>

struct Word {
  std::string text;
  int count = 0;
};
std::string to_text(const Word& word) { return word.text; }

class Id {
 public:
  explicit Id(std::int64_t value = 0) : value_(value) {}
  std::int64_t value() const { return value_; }
  bool operator==(const Id&) const = default;

 private:
  std::int64_t value_;
};
template <>
inline constexpr bool freshet::trivially_serializable<Id> = true;
template <>
struct freshet::KeyHash<Id> {
  static std::uint64_t hash(const Id& id) { return freshet::key_hash(id.value()); }
};

struct Drain {
  void write(const Word&) {}
};

void job(freshet::StreamExecutionEnvironment env) {
  const std::string needle = "freedom";
  const freshet::OutputTag<std::string> empty{"empty"};
  auto lines = env.read_text("words").filter(
      [](std::string_view line, const std::string& text) { return line.find(text) != line.npos; },
      needle);
  auto words = lines.process(
      [](std::string_view line, freshet::ProcessContext& context, freshet::Collector<Word>& out) {
        if (line.empty()) context.output(freshet::OutputTag<std::string>{"empty"}, std::string());
        out(Word{std::string(line), 1});
      },
      empty);
  words.side_output(empty).rebalance().print().name("empty lines").uid("empty");
  words.assign_timestamps([](const Word& word) { return word.count; }).print();
  words.key_by(&Word::text)
      .reduce([](const Word& a, const Word& b) {
        return Word{a.text, a.count + b.count};
      })
      .sink_to(Drain{});
  words.key_by(&Word::text).sum(&Word::count).name("sums").write_text("sums");

  const auto factor = static_cast<std::int64_t>(needle.size());
  auto numbers = env.from_sequence(1, 3).map([factor](std::int64_t i) { return i * factor; });
  numbers.union_with(env.generate([](std::uint64_t i) { return std::int64_t(i); }, 10))
      .key_by([](std::int64_t i) { return Id(i); })
      .max([](std::int64_t i) { return i; })
      .discard();

  // Any number of values is bound to any call.
  const freshet::OutputTag<std::string> rest{"rest"};
  auto bound = env.generate(
      [](std::uint64_t i, std::int64_t by, const std::string& text) {
        return Word{text, static_cast<int>(static_cast<std::int64_t>(i) * by)};
      },
      10, 0, std::int64_t{3}, std::string("text"));
  bound.assign_timestamps(
      [](const Word& word, std::int64_t begin, int step) { return begin + word.count * step; }, 5,
      std::int64_t{7}, 2);
  bound
      .flat_map([](const Word& word, freshet::Collector<int>& out, int a, int b, int c, int d,
                   const std::string& e) { out(word.count + a + b + c + d + int(e.size())); },
                1, 2, 3, 4, std::string("five"))
      .discard();
  bound
      .process(
          [](const Word& word, freshet::ProcessContext&, freshet::Collector<Word>& out,
             const std::string& text, int n) {
            out(Word{text, word.count + n});
          },
          std::string("more"), rest, 4)
      .side_output(rest)
      .print();
  auto keyed = bound.key_by([](const Word& word, int modulus) { return word.count % modulus; }, 7);
  keyed.sum([](const Word& word, int plus) { return word.count + plus; }, 1).print();
  keyed
      .min([](const Word& word, const std::string& text) { return word.text + text; },
           std::string("x"))
      .print();
  keyed
      .reduce(
          [](const Word& a, const Word& b, int weight) {
            return Word{a.text, a.count + b.count * weight};
          },
          2)
      .print();
  bound.through_registered<std::string>("words.upper", freshet::payload_of(3), rest)
      .side_output(rest)
      .print();
  keyed.through_registered<Word>("words.keep").name("kept").print();

  lines.key_by()
      .reduce([](const std::string& a, const std::string& b) { return a < b ? b : a; })
      .print();
  freshet::KeyedTable<std::string, freshet::Owned<std::string_view>> last({0, 128}, 128);
}
