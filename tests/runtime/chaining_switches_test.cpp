// Which operators share a task, as the program asks for it.
#include <vector>

#include "run_both_ways.h"

namespace freshet::testing {
namespace {

constexpr auto kDouble = [](const std::int64_t& i) { return i * 2; };
constexpr auto kOneMore = [](const std::int64_t& i) { return i + 1; };

TEST(ChainingSwitches, AreNotedOnTheOperatorThatTheyAreCalledOn) {
  auto env = StreamExecutionEnvironment::get_execution_environment();
  const auto numbers = env.from_sequence(1, 3);
  const auto usual = numbers.map(kDouble);
  EXPECT_TRUE(usual.upstream_of().at().chains_with_input);
  EXPECT_TRUE(usual.upstream_of().at().chains_with_output);
  const auto begins = usual.map(kOneMore).start_new_chain();
  EXPECT_FALSE(begins.upstream_of().at().chains_with_input);
  EXPECT_TRUE(begins.upstream_of().at().chains_with_output);
  const auto alone = begins.map(kOneMore).disable_chaining();
  EXPECT_FALSE(alone.upstream_of().at().chains_with_input);
  EXPECT_FALSE(alone.upstream_of().at().chains_with_output);
}

TEST(ChainingSwitches, OfTheEnvironmentIsTheOptionOfThatName) {
  auto env = StreamExecutionEnvironment::get_execution_environment();
  EXPECT_TRUE(env.configuration().get(options::kPipelineOperatorChaining));
  env.disable_operator_chaining();
  EXPECT_FALSE(env.configuration().get(options::kPipelineOperatorChaining));
}

TEST(ChainingSwitches, ChangeNoResult) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 1000; ++i) expected.push_back((i * 2 + 1) * 2 + 1);
  run_both_ways(
      [](auto& env) {
        return env.from_sequence(0, 999)
            .map(kDouble)
            .map(kOneMore)
            .start_new_chain()
            .map(kDouble)
            .disable_chaining()
            .map(kOneMore)
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

}  // namespace
}  // namespace freshet::testing
