// map, filter, flat_map, process and union against loops over the same records.
#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

using Row = std::pair<std::uint64_t, std::string>;

const std::uint64_t kCount = static_cast<std::uint64_t>(scaled(20'000, 1'000));

Row row_of(std::uint64_t i) {
  return {mixed(i) % 1000, std::string(mixed(i) % 40, static_cast<char>('a' + i % 26))};
}

TEST(Transforms, MapFilterMapGivesWhatALoopGives) {
  std::vector<Row> expected;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const Row row = row_of(i);
    if (row.first % 3 != 0) expected.emplace_back(row.first * 2, row.second + "!");
  }
  run_both_ways(
      [](auto& env) {
        return env.generate(&row_of, kCount)
            .filter([](const Row& row) { return row.first % 3 != 0; })
            .map([](const Row& row) { return Row(row.first * 2, row.second); })
            .map([](const Row& row) { return Row(row.first, row.second + "!"); })
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(Transforms, FlatMapEmitsNoneOneOrManyThroughEitherCollector) {
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    for (std::uint64_t k = 0; k < i % 4; ++k) {
      for (std::uint64_t l = 0; l < (i + k) % 3; ++l) expected.push_back(i * 100 + k * 10 + l);
    }
  }
  run_both_ways(
      [](auto& env) {
        return env.generate([](std::uint64_t i) { return i; }, kCount)
            .flat_map([](const std::uint64_t& i, Collector<std::uint64_t>& out) {
              for (std::uint64_t k = 0; k < i % 4; ++k) out(i * 100 + k * 10);
            })
            .template flat_map<std::uint64_t>([](const std::uint64_t& v, auto& out) {
              const std::uint64_t i = v / 100;
              const std::uint64_t k = v / 10 % 10;
              for (std::uint64_t l = 0; l < (i + k) % 3; ++l) out.emit(v + l);
            })
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(Transforms, ViewsIntoARecordTravelAsTheirBytes) {
  std::vector<std::string> expected;
  for (std::uint64_t i = 0; i < kCount / 4; ++i) {
    const std::string text = row_of(i).second;
    for (std::size_t at = 0; at < text.size(); at += 7) expected.push_back(text.substr(at, 7));
  }
  run_both_ways(
      [](auto& env) {
        return env.generate(&row_of, kCount / 4)
            .template flat_map<std::string_view>([](const Row& row, auto& out) {
              const std::string_view text = row.second;
              for (std::size_t at = 0; at < text.size(); at += 7) out(text.substr(at, 7));
            })
            .filter([](std::string_view part) { return !part.empty(); })
            .rebalance()
            .map([](std::string_view part) { return std::string(part); })
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(Transforms, SideOutputsGetTheirRecordsAndNoOthers) {
  using Tagged = std::pair<std::string, std::uint64_t>;
  std::vector<Tagged> expected;
  for (std::uint64_t i = 0; i < kCount / 4; ++i) {
    expected.emplace_back("main", i);
    if (i % 3 == 0) expected.emplace_back("third", i);
    if (i % 5 == 0) {
      expected.emplace_back("fifth", i);
      expected.emplace_back("fifth", i + 1);
    }
  }
  run_both_ways(
      [](auto& env) {
        const OutputTag<std::uint64_t> third_tag("third");
        const OutputTag<std::string> fifth_tag("fifth");
        auto numbers = env.generate([](std::uint64_t i) { return i; }, kCount / 4);
        auto split = numbers.process(
            [third_tag, fifth_tag](const std::uint64_t& i, ProcessContext& context,
                                   Collector<std::uint64_t>& out) {
              out(i);
              if (i % 3 == 0) context.output(third_tag, i);
              if (i % 5 == 0) {
                context.output(fifth_tag, std::to_string(i));
                context.output(fifth_tag, std::to_string(i + 1));
              }
            },
            third_tag, fifth_tag);
        auto third = split.side_output(third_tag).map(
            [](const std::uint64_t& i) { return Tagged("third", i); });
        auto fifth = split.side_output(fifth_tag).map(
            [](const std::string& i) { return Tagged("fifth", std::stoull(i)); });
        return split.map([](const std::uint64_t& i) { return Tagged("main", i); })
            .union_with(third, fifth)
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(Transforms, ASideOutputTakesOnlyTheRecordsOfItsTag) {
  const OutputTag<std::uint64_t> given("given");
  const auto failure_of = [&](auto tag, auto record) {
    auto env = StreamExecutionEnvironment::get_execution_environment();
    env.from_sequence(1, 1)
        .process([tag, record](const std::int64_t&, ProcessContext& context,
                               Collector<std::int64_t>&) { context.output(tag, record); },
                 given)
        .discard();
    try {
      env.execute();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_NE(failure_of(OutputTag<std::uint64_t>("other"), std::uint64_t{1})
                .find("side output 'other' is not among those of this process() ('given'): give "
                      "its tag to process()"),
            std::string::npos);
  EXPECT_NE(failure_of(OutputTag<double>("given"), 1.0)
                .find("side output 'given' takes u64, got f64: use the tag that was given to "
                      "process()"),
            std::string::npos);
  EXPECT_EQ(failure_of(given, std::uint64_t{1}), "nothing");
  EXPECT_EQ(OutputName(std::string(47, 'x')).name(), std::string(47, 'x'));
  EXPECT_EQ(OutputName("").name(), "");
  EXPECT_THROW(OutputName(std::string(48, 'x')), InvalidInput);
}

// A stage may work on rows where they lie; what others read of them stays as it was.
TEST(Transforms, BranchesOfOneStreamDoNotSeeEachOthersChanges) {
  struct Point {
    std::int64_t number;
    std::int64_t branch;
    auto operator<=>(const Point&) const = default;
  };
  std::vector<Point> expected;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(kCount); ++i) {
    if (i % 3 == 0) expected.push_back({i + 5, 1});
    if (i % 2 == 0) expected.push_back({i * 7, 2});
    expected.push_back({i, 0});
  }
  run_both_ways(
      [](auto& env) {
        auto points = env.from_sequence(0, static_cast<std::int64_t>(kCount) - 1)
                          .map([](const std::int64_t& i) {
                            return Point{i, 0};
                          })
                          .assign_timestamps([](const Point& p) { return p.number; });
        auto first =
            points.filter([](const Point& p) { return p.number % 3 == 0; }).map([](const Point& p) {
              return Point{p.number + 5, 1};
            });
        auto second = points.filter([](const Point& p) { return p.number % 2 == 0; })
                          .map([](const Point& p) {
                            return Point{p.number, 2};
                          })
                          .map([](const Point& p) {
                            return Point{p.number * 7, p.branch};
                          });
        return first.union_with(second, points).execute_and_collect().to_vector();
      },
      expected);
}

TEST(Transforms, AUnionHasTheRecordsOfAllItsStreams) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 1000; ++i) expected.insert(expected.end(), {i, i, -i});
  run_both_ways(
      [](auto& env) {
        auto up = env.from_sequence(0, 999);
        auto same = up.filter([](const std::int64_t&) { return true; });
        auto down = env.from_sequence(-999, 0);
        return up.union_with(same, down).execute_and_collect().to_vector();
      },
      expected);
}

TEST(Transforms, AStreamReadTwiceGivesBothReadersEverything) {
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back("left " + std::to_string(i) + std::string(50, '.'));
    expected.push_back("right " + std::to_string(i) + std::string(50, '.'));
  }
  run_both_ways(
      [](auto& env) {
        auto texts = env.from_sequence(0, 1999).map(
            [](const std::int64_t& i) { return std::to_string(i) + std::string(50, '.'); });
        auto left = texts.map([](const std::string& text) { return "left " + text; });
        auto right = texts.map([](const std::string& text) { return "right " + text; });
        return left.union_with(right).execute_and_collect().to_vector();
      },
      expected);
}

TEST(Transforms, BoundArgumentsTravelToTheirFunction) {
  const std::string needle = "aa";
  const std::vector<int> offsets{1, 10, 100};
  std::vector<std::size_t> expected;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string text = row_of(i).second;
    if (text.find(needle) == std::string::npos) continue;
    for (const int offset : offsets)
      expected.push_back(text.size() + static_cast<unsigned>(offset));
  }
  run_both_ways(
      [&](auto& env) {
        return env.generate(&row_of, 2000)
            .filter(
                [](const Row& row, const std::string& what) {
                  return row.second.find(what) != std::string::npos;
                },
                needle)
            .template flat_map<std::size_t>(
                [](const Row& row, auto& out, const std::vector<int>& by) {
                  for (const int offset : by)
                    out(row.second.size() + static_cast<unsigned>(offset));
                },
                offsets)
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(Transforms, StringsOfAnyBytesStayWhatTheyAre) {
  std::vector<std::string> texts{"",
                                 std::string(1, '\0'),
                                 "\xff\xfe",
                                 "\xc3(",
                                 "a\0b",
                                 std::string("\xed\xa0\x80", 3),
                                 std::string(200'000, '\x80')};
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::string text;
    for (std::uint64_t k = 0; k < mixed(i) % 300; ++k) {
      text.push_back(static_cast<char>(mixed(i * 1000 + k)));
    }
    texts.push_back(std::move(text));
  }
  run_both_ways(
      [&](auto& env) {
        return env.from_collection(texts)
            .rebalance()
            .map([](const std::string& text) { return text; })
            .execute_and_collect()
            .to_vector();
      },
      texts);
}

TEST(Transforms, AForwardChainKeepsTheOrder) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 5000; ++i) expected.push_back(i);
  run_ways(
      ways(),
      [](auto& env) {
        env.set_parallelism(1);
        return env.from_sequence(0, 4999)
            .map([](const std::int64_t& i) { return i; })
            .disable_chaining()
            .filter([](const std::int64_t&) { return true; })
            .execute_and_collect()
            .to_vector();
      },
      [&](const std::vector<std::int64_t>& rows, const Way&) { EXPECT_EQ(rows, expected); });
}

TEST(Transforms, TwoHundredOperatorsInAChainApplyOneAfterTheOther) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 200; ++i) {
    std::int64_t value = i;
    for (std::int64_t k = 0; k < 200; ++k) value = value * 3 % 1'000'003 + k;
    expected.push_back(value);
  }
  run_both_ways(
      [](auto& env) {
        DataStream<std::int64_t> stream = env.from_sequence(0, 199);
        for (std::int64_t k = 0; k < 200; ++k) {
          stream = stream.map([](const std::int64_t& v,
                                 const std::int64_t& add) { return v * 3 % 1'000'003 + add; },
                              k);
        }
        return stream.execute_and_collect().to_vector();
      },
      expected);
}

TEST(Transforms, EmptyInputsAndSingleRecordsEndWell) {
  for (const std::int64_t last : {std::int64_t{-1}, std::int64_t{0}}) {
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i <= last; ++i) expected.push_back(i + 1);
    run_both_ways(
        [last](auto& env) {
          auto numbers = env.from_sequence(0, last);
          return numbers.map([](const std::int64_t& i) { return i + 1; })
              .union_with(env.from_collection(std::vector<std::int64_t>{}))
              .rebalance()
              .filter([](const std::int64_t&) { return true; })
              .execute_and_collect()
              .to_vector();
        },
        expected);
  }
}

}  // namespace
}  // namespace freshet::testing
