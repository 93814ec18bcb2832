// One update of keyed state: freshet::KeyedTable beside std::unordered_map and a table written by
// hand for the case.
//
//   words   counts of words, Zipf-like over 10,000: hash and update
//   ints    sums of 64-bit keys, uniform over 1 K, 64 K and 1 M: the hash is carried
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "freshet/detail/state/keyed_table.h"
#include "freshet/key_hash.h"

namespace {

using freshet::key_hash;

struct Words {
  std::vector<std::string> vocabulary;
  std::vector<std::string_view> text;

  Words() {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
      std::string word(3 + random() % 8, ' ');
      for (char& c : word) c = static_cast<char>('a' + random() % 26);
      vocabulary.push_back(word);
    }
    for (int i = 0; i < 1'000'000; ++i) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;
      text.push_back(vocabulary[static_cast<std::size_t>(u * u * u * 10'000)]);
    }
  }
};

const Words& words() {
  static const Words made;
  return made;
}

// Linear probing in 2^15 slots, keys where the vocabulary has them.
struct HandWords {
  struct Slot {
    std::uint64_t hash = 0;
    const char* bytes = nullptr;
    std::size_t size = 0;
    std::int64_t count = 0;
  };
  std::vector<Slot> slots = std::vector<Slot>(1 << 15);

  void add(std::string_view word, std::uint64_t hash) {
    for (std::uint64_t i = hash & 0x7fff;; i = (i + 1) & 0x7fff) {
      Slot& slot = slots[i];
      if (slot.hash == hash && slot.size == word.size() &&
          std::memcmp(slot.bytes, word.data(), word.size()) == 0) {
        ++slot.count;
        return;
      }
      if (slot.bytes == nullptr) {
        slot = {hash, word.data(), word.size(), 1};
        return;
      }
    }
  }
};

void count_words_by_hand(benchmark::State& state) {
  HandWords table;
  const auto pass = [&] {
    for (std::string_view word : words().text) table.add(word, key_hash(word));
  };
  pass();  // the keys are there from now on
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(words().text.size()));
}

void count_words_in_keyed_table(benchmark::State& state) {
  freshet::KeyedTable<std::string, std::int64_t> table({0, 128}, 128);
  const auto pass = [&] {
    for (std::string_view word : words().text) ++table.find_or_insert(word, key_hash(word));
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(words().text.size()));
}

void count_words_in_unordered_map(benchmark::State& state) {
  std::unordered_map<std::string, std::int64_t> table;
  const auto pass = [&] {
    for (std::string_view word : words().text) ++table[std::string(word)];
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(words().text.size()));
}

struct Row {
  std::int64_t key;
  std::int64_t value;
  std::uint64_t hash;
};

std::vector<Row> rows_of(std::int64_t keys) {
  std::mt19937_64 random(2);
  std::vector<Row> rows(1 << 20);
  for (Row& row : rows) {
    row.key = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(keys));
    row.value = static_cast<std::int64_t>(random() >> 44);
    row.hash = key_hash(row.key);
  }
  return rows;
}

// The top bits of the hash; -1 is no key here.
struct HandSums {
  struct Slot {
    std::int64_t key = -1;
    std::int64_t sum = 0;
  };
  std::vector<Slot> slots;
  std::uint64_t mask;
  int shift;

  explicit HandSums(int bits)
      : slots(std::size_t{1} << bits), mask((std::uint64_t{1} << bits) - 1), shift(64 - bits) {}
  void add(std::int64_t key, std::uint64_t hash, std::int64_t value) {
    for (std::uint64_t i = hash >> shift;; i = (i + 1) & mask) {
      Slot& slot = slots[i];
      if (slot.key == key) {
        slot.sum += value;
        return;
      }
      if (slot.key == -1) {
        slot = {key, value};
        return;
      }
    }
  }
};

constexpr std::size_t kAhead = 16;

void sum_ints_by_hand(benchmark::State& state) {
  const auto rows = rows_of(state.range(0));
  HandSums table(65 - __builtin_clzll(static_cast<std::uint64_t>(state.range(0)) - 1));
  const auto pass = [&] {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size())
        __builtin_prefetch(&table.slots[rows[i + kAhead].hash >> table.shift], 1);
      table.add(rows[i].key, rows[i].hash, rows[i].value);
    }
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.size()));
}

void sum_ints_in_keyed_table(benchmark::State& state) {
  const auto rows = rows_of(state.range(0));
  freshet::KeyedTable<std::int64_t, std::int64_t> table({0, 128}, 128);
  const auto pass = [&] {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) table.prefetch(rows[i + kAhead].hash);
      table.find_or_insert(rows[i].key, rows[i].hash) += rows[i].value;
    }
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.size()));
}

void sum_ints_in_unordered_map(benchmark::State& state) {
  const auto rows = rows_of(state.range(0));
  std::unordered_map<std::int64_t, std::int64_t> table;
  const auto pass = [&] {
    for (const Row& row : rows) table[row.key] += row.value;
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.size()));
}

BENCHMARK(count_words_by_hand);
BENCHMARK(count_words_in_keyed_table);
BENCHMARK(count_words_in_unordered_map);
BENCHMARK(sum_ints_by_hand)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);
BENCHMARK(sum_ints_in_keyed_table)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);
BENCHMARK(sum_ints_in_unordered_map)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
