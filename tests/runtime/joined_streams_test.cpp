// Which streams may come together in a job: those of one environment, made since its last
// execute().
#include <functional>
#include <string>

#include "freshet/error.h"
#include "run_both_ways.h"

namespace freshet::testing {
namespace {

StreamExecutionEnvironment environment() { return Way{}.environment(); }

std::string refusal_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidInput& refused) {
    return refused.what();
  }
  ADD_FAILURE() << "it was taken";
  return "";
}

void expect_in(const std::string& said, const std::string& part) {
  EXPECT_NE(said.find(part), std::string::npos) << said;
}

std::int64_t same(const std::int64_t& i) { return i; }

TEST(JoinedStreams, OfTwoEnvironmentsAreRefusedWithTheirNames) {
  auto here = environment();
  auto there = environment();
  const auto ours = here.from_sequence(1, 3).name("ours");
  const auto theirs = there.from_sequence(4, 6).map(&same).name("theirs");
  const DataStream<std::int64_t> plain = theirs;
  for (const auto& join : std::vector<std::function<void()>>{
           [&] { ours.union_with(theirs); }, [&] { ours.union_with(plain); },
           [&] { ours.union_with(ours, theirs.rebalance()); }}) {
    const std::string said = refusal_of(join);
    expect_in(said, "union_with() joins a stream of 'ours' and a stream of 'theirs' of another");
    expect_in(said, "make both from it");
  }
  // Nothing of the refused calls is left: both jobs run as they would have.
  EXPECT_EQ(ours.execute_and_collect().to_vector(), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(theirs.execute_and_collect().to_vector(), (std::vector<std::int64_t>{4, 5, 6}));
}

TEST(JoinedStreams, OfBeforeExecuteAreRefusedByEveryCall) {
  auto env = environment();
  const OutputTag<std::int64_t> odd("odd");
  const auto old = env.from_sequence(1, 3).map(&same).name("old one");
  const DataStream<std::int64_t> plain = old;
  const auto processed = old.process(
      [](const std::int64_t& i, ProcessContext&, Collector<std::int64_t>& out) { out(i); }, odd);
  const auto aside = processed.side_output(odd);
  const auto keyed = old.key_by();
  old.discard();
  processed.discard();
  env.execute();

  const auto fresh = env.from_sequence(1, 3);
  const auto sink = [](const auto& stream) { return [&stream] { stream.print(); }; };
  const std::pair<const char*, std::function<void()>> calls[] = {
      {"as the other of a union", [&] { fresh.union_with(old); }},
      {"as the other, of a plain type", [&] { fresh.union_with(plain); }},
      {"as the first of a union", [&] { plain.union_with(fresh); }},
      {"both old", [&] { old.union_with(plain); }},
      {"with a partitioning chosen", [&] { fresh.union_with(plain.rebalance()); }},
      {"a sink", sink(old)},
      {"a sink behind a plain type", sink(plain)},
      {"a sink behind a side output", sink(aside)},
      {"a registered sink", [&] { plain.sink_to_registered("test.sink"); }},
      {"a registered operator", [&] { plain.through_registered<int>("test.op"); }},
      {"a side output", [&] { processed.side_output(odd); }},
      {"an aggregate", [&] { keyed.count(); }},
      {"collecting", [&] { plain.execute_and_collect(); }},
      {"a name", [&] { plain.name("other"); }}};
  for (const auto& [what, call] : calls) {
    SCOPED_TRACE(what);
    const std::string said = refusal_of(call);
    expect_in(said, "is used after execute() has run its job");
    expect_in(said, "a stream of '");
  }
  expect_in(refusal_of([&] { fresh.union_with(plain); }), "a stream of 'old one' is used after");
  // Two jobs back, the name is not known any more.
  EXPECT_EQ(fresh.execute_and_collect().to_vector(), (std::vector<std::int64_t>{1, 2, 3}));
  expect_in(refusal_of([&] { plain.print(); }), "a stream is used after execute()");
}

}  // namespace
}  // namespace freshet::testing
