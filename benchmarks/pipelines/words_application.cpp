// Word count by hand and as a job: fr-run words_application.so memory|FILE hand|job
// prints seconds, words, distinct words and a checksum. Both use the sample's tokens.
#include <fcntl.h>
#include <freshet/freshet.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../samples/word_count/tokenize.h"
#include "word_hash.h"

namespace {

constexpr std::size_t kLines = 300'000;
constexpr std::size_t kRounds = 10;
std::string text;
std::vector<std::string_view> lines;

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// 10,000 words of 3 to 10 letters, ten a line, the frequent ones more often.
void make_text() {
  std::uint64_t r = 88172645463325252ull;
  auto random = [&r] {
    r ^= r << 13;
    r ^= r >> 7;
    r ^= r << 17;
    return r;
  };
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 10'000; ++i) {
    std::string word;
    const std::uint64_t letters = 3 + random() % 8;
    for (std::uint64_t j = 0; j < letters; ++j) word += static_cast<char>('a' + random() % 26);
    vocabulary.push_back(word);
  }
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (std::size_t i = 0; i < kLines; ++i) {
    const std::size_t begin = text.size();
    for (int j = 0; j < 10; ++j) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;
      if (j) text += ' ';
      text += vocabulary[static_cast<std::size_t>(u * u * u * 10'000)];
    }
    places.emplace_back(begin, text.size() - begin);
  }
  text += "        ";
  for (const auto& [begin, size] : places)
    lines.push_back(std::string_view(text).substr(begin, size));
}

struct Result {
  std::uint64_t words = 0, distinct = 0, checksum = 0;
  void add(std::uint64_t hash, std::uint64_t count) {
    words += count;
    ++distinct;
    checksum += hash * count;
  }
} result;

// ---- by hand: one table with linear probing, words interned -----------------------------------

class WordTable {
 public:
  void add(std::string_view word, std::uint64_t h) {
    for (std::uint64_t i = h & mask_;; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (slot.hash == h && slot.size == word.size() &&
          std::memcmp(slot.bytes, word.data(), word.size()) == 0) {
        ++slot.count;
        return;
      }
      if (slot.bytes) continue;
      auto bytes = std::make_unique<char[]>(word.size());
      std::memcpy(bytes.get(), word.data(), word.size());
      slot = {h, bytes.get(), static_cast<std::uint32_t>(word.size()), 1};
      interned_.push_back(std::move(bytes));
      return;
    }
  }
  Result sum() const {
    Result sum;
    for (const Slot& slot : slots_) {
      if (slot.bytes) sum.add(hash_of({slot.bytes, slot.size}), slot.count);
    }
    return sum;
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    const char* bytes = nullptr;
    std::uint32_t size = 0;
    std::uint64_t count = 0;
  };
  std::vector<Slot> slots_ = std::vector<Slot>(1 << 15);
  std::vector<std::unique_ptr<char[]>> interned_;
  std::uint64_t mask_ = (1 << 15) - 1;
};

void memory_by_hand() {
  WordTable table;
  Tokenize tokenize;
  auto count = [&table](std::string_view word) { table.add(word, hash_of(word)); };
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (const std::string_view line : lines) tokenize(line, count);
  }
  result = table.sum();
}

void file_by_hand(const char* path) {
  WordTable table;
  Tokenize tokenize;
  auto count = [&table](std::string_view word) { table.add(word, hash_of(word)); };
  const int file = ::open(path, O_RDONLY);
  std::vector<char> block(256 * 1024);
  std::size_t kept = 0;
  for (;;) {
    const ssize_t got = ::read(file, block.data() + kept, block.size() - kept);
    const std::size_t filled = kept + static_cast<std::size_t>(got > 0 ? got : 0);
    std::size_t begin = 0;
    while (const void* newline = std::memchr(block.data() + begin, '\n', filled - begin)) {
      const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - block.data());
      tokenize({block.data() + begin, end - begin}, count);
      begin = end + 1;
    }
    if (got <= 0) {
      if (begin < filled) tokenize({block.data() + begin, filled - begin}, count);
      break;
    }
    kept = filled - begin;
    std::memmove(block.data(), block.data() + begin, kept);
  }
  ::close(file);
  result = table.sum();
}

// ---- as a job ---------------------------------------------------------------------------------

struct LinesInMemory {
  using Record = std::string_view;
  using Split = std::uint32_t;
  bool bounded() const { return true; }
  freshet::FixedSplits<Split> enumerator(std::uint32_t) const {
    return freshet::FixedSplits<Split>({0});
  }
  struct Reader {
    std::size_t at = 0, round = 0;
    void start(Split) {}
    template <class Out>
    freshet::ReadStatus read(Out& out, std::uint32_t records) {
      for (std::uint32_t i = 0; i < records; ++i) {
        if (at == lines.size()) {
          at = 0;
          if (++round == kRounds) return freshet::ReadStatus::split_done();
        }
        out(lines[at++]);
      }
      return freshet::ReadStatus::more();
    }
  };
  Reader reader(freshet::RuntimeContext&) const { return {}; }
};

struct ResultSink {
  void write(const std::pair<std::string, std::int64_t>& row) {
    result.add(hash_of(row.first), static_cast<std::uint64_t>(row.second));
  }
};

int words(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: words_application.so memory|FILE hand|job\n");
    return 64;
  }
  const bool memory = std::strcmp(argv[1], "memory") == 0;
  if (memory && lines.empty()) make_text();
  result = {};
  const double start = now();
  if (std::strcmp(argv[2], "hand") == 0) {
    memory ? memory_by_hand() : file_by_hand(argv[1]);
  } else {
    auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
    if (memory) {
      env.from_source(LinesInMemory{})
          .flat_map<std::string_view>(Tokenize{})
          .key_by()
          .count()
          .sink_to(ResultSink{});
    } else {
      env.read_text(argv[1])
          .flat_map<std::string_view>(Tokenize{})
          .key_by()
          .count()
          .sink_to(ResultSink{});
    }
    env.execute("words");
  }
  std::printf("%.9f %llu %llu %llu\n", now() - start, static_cast<unsigned long long>(result.words),
              static_cast<unsigned long long>(result.distinct),
              static_cast<unsigned long long>(result.checksum));
  return 0;
}

}  // namespace

FRESHET_APPLICATION(words);
