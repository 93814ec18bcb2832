// Random small jobs, each with the rows that it must give: plain vectors that go through plain
// loops.
//
//   RandomJob job(seed, /*batch=*/true);
//   auto collected = job.start();
//   job.expect_rows_of_the_oracle(collected.to_vector());
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/await.h"
#include "run_both_ways.h"

namespace freshet::testing {

using Number = std::int64_t;
using Text = std::string;

inline Number scrambled(Number n, std::uint64_t salt) {
  return static_cast<Number>(mixed(static_cast<std::uint64_t>(n) + salt) % 100'000);
}
// Mostly short, some longer than a batch.
inline Text text_of(Number n) {
  const std::uint64_t drawn = mixed(static_cast<std::uint64_t>(n));
  const std::size_t size = drawn % 4001 == 0 ? 100'000 : drawn % 401 == 0 ? 3'000 : drawn % 30;
  return std::to_string(n) + Text(size, static_cast<char>('a' + drawn % 26));
}
inline Number number_of(const Text& text) {
  std::uint64_t sum = text.size();
  for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<Number>(sum % 100'000);
}
inline std::int64_t stamp_of(const Number& n) { return n * 3 + 1; }

// ---- functions of the jobs -------------------------------------------------------------------

inline std::atomic<std::int64_t> fuse{0};  // 0: none; else Scramble throws at that call of it

struct Scramble {
  std::uint32_t salt;
  Number operator()(const Number& n) const {
    if (fuse.load(std::memory_order_relaxed) > 0 && fuse.fetch_sub(1) == 1) {
      throw std::runtime_error("burnt");
    }
    return scrambled(n, salt);
  }
};
struct Keeps {
  std::uint32_t of;
  bool operator()(const Number& n) const { return n % of != 0; }
};
struct Several {
  void operator()(const Number& n, Collector<Number>& out) const {
    for (Number i = 0; i < n % 3; ++i) out(scrambled(n, 40 + static_cast<std::uint64_t>(i)));
  }
};
struct Modulo {
  std::uint32_t by;
  Number operator()(const Number& n) const { return n % by; }
};
struct Same {
  Number operator()(const Number& n) const { return n; }
};
struct OfPair {
  Number operator()(const std::pair<Number, Number>& row) const {
    return scrambled(row.first * 31 + row.second, 5);
  }
};
struct OfCount {
  Text operator()(const std::pair<Text, std::int64_t>& row) const {
    return row.first.substr(0, 50) + "#" + std::to_string(row.second);
  }
};
struct AddsItsTimestamp {
  void operator()(const Number& n, ProcessContext& context, Collector<Number>& out) const {
    out(scrambled(n + context.timestamp(), 6));
  }
};
inline const OutputTag<Number> odd("odd");
struct SplitsOddOnes {
  void operator()(const Number& n, ProcessContext& context, Collector<Number>& out) const {
    n % 2 ? context.output(odd, scrambled(n, 8)) : out(n);
  }
};

// Splits whose enumerator sometimes waits.
struct Pieces {
  using Record = Number;
  using Split = std::uint32_t;
  struct Enumerator {
    std::uint32_t pieces;
    std::uint32_t at = 0;
    std::optional<Split> next(std::uint32_t) {
      if (at == pieces) return std::nullopt;
      if (at % 3 == 0) await([] { std::this_thread::yield(); });
      return at++;
    }
  };
  struct Reader {
    std::uint32_t size;
    Number at = 0;
    Number end = 0;
    void start(Split split) {
      at = static_cast<Number>(split) * size;
      end = at + size;
    }
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t records) {
      for (std::uint32_t i = 0; i < records && at < end; ++i) out(at++);
      return at < end ? ReadStatus::more() : ReadStatus::split_done();
    }
  };
  std::uint32_t pieces;
  std::uint32_t size;
  bool bounded() const { return true; }
  Enumerator enumerator(std::uint32_t) const { return {pieces}; }
  Reader reader(RuntimeContext&) const { return {size}; }
};

// What came to the sinks of a job, whatever the order.
struct Digest {
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> sum{0};
  void add(const Number& n) {
    count.fetch_add(1);
    sum.fetch_add(mixed(static_cast<std::uint64_t>(n)));
  }
  void add(const Text& text) { add(number_of(text)); }
};
inline std::array<Digest, 32> leaves;
template <class T>
struct Leaf {
  std::uint32_t place;
  void write(const T& record) { leaves[place].add(record); }
};

// ---- the jobs --------------------------------------------------------------------------------

template <class T>
struct Known {
  DataStream<T> stream;
  std::vector<T> rows;
  int parallelism;
  bool read = false;
};

class RandomJob {
 public:
  RandomJob(std::uint64_t seed, bool batch)
      : random_(seed), batch_(batch), env_(environment(seed, batch)) {
    add_source();
    for (std::size_t steps = 2 + draw(9); steps > 0; --steps) add();
    for (auto& known : numbers_) {
      if (!known.read && &known != &numbers_.back()) add_leaf(known);
    }
    for (auto& known : texts_) {
      if (!known.read) add_leaf(known);
    }
  }

  CollectedRecords<Number> start() {
    for (Digest& leaf : leaves) leaf.count = leaf.sum = 0;
    return numbers_.back().stream.execute_and_collect("random");
  }
  void expect_rows_of_the_oracle(std::vector<Number> rows) const {
    EXPECT_EQ(rows.size(), numbers_.back().rows.size());
    EXPECT_TRUE(sorted(std::move(rows)) == sorted(numbers_.back().rows));
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      EXPECT_EQ(leaves[i].count, expected_[i].first) << "rows of sink " << i;
      EXPECT_EQ(leaves[i].sum, expected_[i].second) << "sink " << i;
    }
  }

 private:
  static constexpr std::size_t kMostRows = 8'000;

  static StreamExecutionEnvironment environment(std::uint64_t seed, bool batch) {
    const auto one_of = [&](std::uint64_t what, auto... values) {
      const std::common_type_t<decltype(values)...> all[] = {values...};
      return all[mixed(seed * 16 + what) % std::size(all)];
    };
    Configuration configuration =
        Way{one_of(1, true, false), one_of(2, true, true, false),
            one_of(3, std::int64_t{0}, std::int64_t{0}, std::int64_t{1}, std::int64_t{7}), 2,
            batch ? RuntimeMode::kBatch : RuntimeMode::kStreaming}
            .configuration();
    configuration.set(options::kExecutionBatchSize,
                      MemorySize(one_of(4, 256u, 4u << 10, 64u << 10)));
    configuration.set(options::kTaskBuffersPerChannel, one_of(5, 1, 2, 8));
    configuration.set(options::kTaskmanagerMemoryNetwork,
                      MemorySize::megabytes(one_of(6, 1u, 1u, 256u)));
    return StreamExecutionEnvironment::get_execution_environment(configuration);
  }

  std::size_t draw(std::size_t below) { return random_() % below; }
  int draw_parallelism() { return 1 + static_cast<int>(draw(4)); }
  std::uint32_t draw_salt() { return static_cast<std::uint32_t>(draw(20)); }
  template <class T>
  Known<T>& pick(std::deque<Known<T>>& from) {
    Known<T>& known = from[draw(from.size())];
    known.read = true;
    return known;
  }
  template <class S>
  void keep(S stream, std::vector<Number> rows) {
    keep_in(numbers_, stream, std::move(rows));
  }
  template <class T, class S>
  void keep_in(std::deque<Known<T>>& known, S stream, std::vector<T> rows) {
    const int parallelism = draw_parallelism();
    stream.set_parallelism(parallelism);
    if (draw(6) == 0) stream.disable_chaining();
    known.push_back({stream, std::move(rows), parallelism});
  }

  void add() {
    switch (draw(12)) {
      case 0:
        return add_source();
      case 1:
        return add_loop();
      case 2:
      case 3:
        return add_partitioning();
      case 4:
      case 5:
        return add_keyed();
      case 6:
      case 7:
        return add_union();
      case 8:
        return add_process();
      case 9:
        return add_timestamps();
      case 10:
        return add_texts();
      default:
        return texts_.empty() ? add_texts() : add_of_texts();
    }
  }

  void add_source() {
    const std::uint64_t count = draw(5) == 0 ? draw(3) : draw(2'000);
    std::vector<Number> rows;
    switch (draw(4)) {
      case 0:
        for (Number i = 1; i <= static_cast<Number>(count); ++i) rows.push_back(i);
        return keep(env_.from_sequence(1, static_cast<Number>(count)), rows);
      case 1: {  // fused with what follows
        for (std::uint64_t i = 0; i < count; ++i) {
          const Number n = scrambled(static_cast<Number>(i), 3);
          if (n % 5 != 0) rows.push_back(scrambled(n, 4));
        }
        const auto number = [](std::uint64_t i) { return scrambled(static_cast<Number>(i), 3); };
        auto source = env_.generate(number, count);
        const int parallelism = draw_parallelism();
        source.set_parallelism(parallelism);
        auto kept = source.filter(Keeps{5}).set_parallelism(parallelism).map(Scramble{4});
        kept.set_parallelism(parallelism);
        numbers_.push_back({kept, std::move(rows), parallelism});
        return;
      }
      case 2:
        for (std::uint64_t i = 0; i < count / 8; ++i) rows.push_back(static_cast<Number>(i * i));
        numbers_.push_back({env_.from_collection(rows), rows, 1});
        return;
      default: {
        const auto pieces = static_cast<std::uint32_t>(draw(9));
        for (Number i = 0; i < Number{pieces} * 50; ++i) rows.push_back(i);
        return keep(env_.from_source(Pieces{pieces, 50}, "pieces"), rows);
      }
    }
  }

  void add_loop() {
    const Known<Number>& of = pick(numbers_);
    const std::uint32_t salt = draw_salt(), out = 2 + draw_salt();
    std::vector<Number> rows;
    for (const Number& n : of.rows) {
      const Number m = scrambled(n, salt);
      if (m % out == 0) continue;
      for (Number i = 0; i < m % 3; ++i) {
        rows.push_back(scrambled(m, 40 + static_cast<std::uint64_t>(i)));
      }
    }
    keep(of.stream.map(Scramble{salt}).filter(Keeps{out}).flat_map(Several{}), std::move(rows));
  }

  void add_partitioning() {
    const Known<Number>& of = pick(numbers_);
    const std::uint32_t salt = draw_salt();
    std::vector<Number> rows;
    for (const Number& n : of.rows) rows.push_back(scrambled(n, salt));
    switch (draw(of.rows.size() * 4 > kMostRows ? 5 : 7)) {
      case 0:
        return keep(of.stream.rebalance().map(Scramble{salt}), std::move(rows));
      case 1:
        return keep(of.stream.shuffle().map(Scramble{salt}), std::move(rows));
      case 2:
        return keep(of.stream.rescale().map(Scramble{salt}), std::move(rows));
      case 3:
        return keep(of.stream.global().map(Scramble{salt}), std::move(rows));
      case 4: {
        auto to = of.stream.forward().map(Scramble{salt}).set_parallelism(of.parallelism);
        numbers_.push_back({to, std::move(rows), of.parallelism});
        return;
      }
      default: {
        keep(of.stream.broadcast().map(Scramble{salt}), {});
        for (int copies = numbers_.back().parallelism; copies > 0; --copies) {
          numbers_.back().rows.insert(numbers_.back().rows.end(), rows.begin(), rows.end());
        }
        return;
      }
    }
  }

  // In streaming mode each record gives a row, and counts alone do not depend on their order.
  void add_keyed() {
    const Known<Number>& of = pick(numbers_);
    const std::uint32_t keys[] = {1, 7, 1'000};
    const std::uint32_t by = keys[draw(3)];
    const auto keyed = of.stream.key_by(Modulo{by});
    const std::size_t which = batch_ ? draw(3) : 0;
    std::map<Number, Number> values;
    std::vector<Number> rows;
    for (const Number& n : of.rows) {
      const auto [at, first] = values.emplace(n % by, which == 0 ? 1 : n);
      if (!first && which == 0) ++at->second;
      if (!first && which == 1) at->second += n;
      if (!first && which == 2) at->second = std::max(at->second, n);
      if (!batch_) rows.push_back(OfPair()(*at));
    }
    if (batch_) {
      for (const auto& value : values) rows.push_back(OfPair()(value));
    }
    const int parallelism = draw_parallelism();
    switch (which) {
      case 0:
        return keep(keyed.count().set_parallelism(parallelism).map(OfPair{}), std::move(rows));
      case 1:
        return keep(keyed.sum(Same{}).set_parallelism(parallelism).map(OfPair{}), std::move(rows));
      default:
        return keep(keyed.max(Same{}).set_parallelism(parallelism).map(OfPair{}), std::move(rows));
    }
  }

  void add_union() {
    const Known<Number>& a = pick(numbers_);
    const Known<Number>& b = pick(numbers_);
    if (&a == &b || a.rows.size() + b.rows.size() > kMostRows) return;
    std::vector<Number> rows = a.rows;
    rows.insert(rows.end(), b.rows.begin(), b.rows.end());
    keep(a.stream.union_with(b.stream), std::move(rows));
  }

  void add_process() {
    const Known<Number>& of = pick(numbers_);
    std::vector<Number> even_rows, odd_rows;
    for (const Number& n : of.rows) {
      n % 2 ? odd_rows.push_back(scrambled(n, 8)) : even_rows.push_back(n);
    }
    const int parallelism = draw_parallelism();
    const auto both = of.stream.process(SplitsOddOnes{}, odd).set_parallelism(parallelism);
    numbers_.push_back({both.side_output(odd), std::move(odd_rows), parallelism});
    numbers_.push_back({both, std::move(even_rows), parallelism});
  }

  void add_timestamps() {
    const Known<Number>& of = pick(numbers_);
    std::vector<Number> rows;
    for (const Number& n : of.rows) rows.push_back(scrambled(n + stamp_of(n), 6));
    const auto stamped =
        of.stream.assign_timestamps(&stamp_of, 1'000).set_parallelism(draw_parallelism());
    keep(stamped.rebalance().process(AddsItsTimestamp{}), std::move(rows));
  }

  void add_texts() {
    const Known<Number>& of = pick(numbers_);
    std::vector<Text> rows;
    for (const Number& n : of.rows) rows.push_back(text_of(n));
    keep_in(texts_, of.stream.map(&text_of), std::move(rows));
  }

  void add_of_texts() {
    const Known<Text>& of = pick(texts_);
    if (draw(2) == 0) {
      std::vector<Number> rows;
      for (const Text& text : of.rows) rows.push_back(number_of(text));
      return keep(of.stream.map(&number_of), std::move(rows));
    }
    std::map<Text, std::int64_t> counts;
    std::vector<Text> rows;
    for (const Text& text : of.rows) {
      const std::int64_t count = ++counts[text.substr(0, 2)];
      if (!batch_) rows.push_back(OfCount()({text.substr(0, 2), count}));
    }
    if (batch_) {
      for (const auto& row : counts) rows.push_back(OfCount()(row));
    }
    const auto key = [](const Text& text) { return text.substr(0, 2); };
    keep_in(texts_,
            of.stream.key_by(key).count().set_parallelism(draw_parallelism()).map(OfCount{}),
            std::move(rows));
  }

  template <class T>
  void add_leaf(const Known<T>& of) {
    Digest digest;
    for (const T& row : of.rows) digest.add(row);
    const auto place = static_cast<std::uint32_t>(expected_.size());
    expected_.emplace_back(digest.count.load(), digest.sum.load());
    of.stream.sink_to(Leaf<T>{place}).set_parallelism(draw_parallelism());
  }

  std::mt19937_64 random_;
  const bool batch_;
  StreamExecutionEnvironment env_;
  std::deque<Known<Number>> numbers_;
  std::deque<Known<Text>> texts_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> expected_;  // of the leaves
};

}  // namespace freshet::testing
