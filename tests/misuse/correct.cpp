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
  lines.key_by()
      .reduce([](const std::string& a, const std::string& b) { return a < b ? b : a; })
      .print();
  freshet::KeyedTable<std::string, freshet::Owned<std::string_view>> last({0, 128}, 128);
}
