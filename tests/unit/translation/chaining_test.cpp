#include "translation/chaining.h"

#include "test_pipelines.h"

namespace freshet::core {
namespace {

using Word = Keyed<std::string, std::int64_t>;

class Chaining : public testing::TranslationTest {};

TEST_F(Chaining, PutsForwardEdgesIntoOneTask) {
  sink("print", {map("double", {source("numbers")})});
  configuration_.set(options::kParallelismDefault, 2);
  EXPECT_EQ(tasks(), "numbers+double+print");
}

TEST_F(Chaining, KeepsBothBranchesOfAStream) {
  const auto numbers = source("numbers");
  const auto left = map("left", {numbers});
  const auto right = map("right", {numbers});
  sink("print left", {left});
  sink("print right", {right});
  EXPECT_EQ(tasks(), "numbers+left+right+print left+print right");
}

TEST_F(Chaining, EndsWhereParallelismChanges) {
  const auto print = sink("print", {map("double", {source("numbers")})});
  at(print).parallelism = 2;
  EXPECT_EQ(tasks(), "numbers+double|print");
}

TEST_F(Chaining, EndsBeforeAnOperatorWithTwoInputs) {
  sink("print", {source("a"), source("b")});
  EXPECT_EQ(tasks(), "a|b|print");
}

TEST_F(Chaining, EndsBeforeAStreamUnitedWithItself) {
  const auto a = source("a");
  sink("print", {a, a});
  EXPECT_EQ(tasks(), "a|print");
}

TEST_F(Chaining, EndsWhereTheProgramSaysSo) {
  const auto twice = map("double", {source("numbers")});
  sink("print", {twice});
  at(twice).chains_with_input = false;
  EXPECT_EQ(tasks(), "numbers|double+print");
  at(twice).chains_with_output = false;
  EXPECT_EQ(tasks(), "numbers|double|print");
  at(twice).chains_with_input = true;
  EXPECT_EQ(tasks(), "numbers+double|print");
  configuration_.set(options::kPipelineOperatorChaining, false);
  EXPECT_EQ(tasks(), "numbers|double|print");
}

TEST_F(Chaining, EndsAtAHashEdgeUnlessBothSidesAreSingle) {
  const auto count = map("count", {map("words", {source("numbers")}, record_type<Word>())});
  sink("print", {count});
  partition(count, Partitioning::kHash);
  const JobGraph single = translate();
  EXPECT_EQ(tasks_of(single), "numbers+words+count+print");
  EXPECT_EQ(single.edges[1].partitioning, Partitioning::kHash);
  configuration_.set(options::kParallelismDefault, 2);
  EXPECT_EQ(tasks(), "numbers+words|count+print");
}

class FusedKernels : public testing::TranslationTest {
 protected:
  const std::uint32_t source_ = source("source");
  const std::uint32_t a_ = map("a", {source_});
  const std::uint32_t b_ = map("b", {a_});
  const std::uint32_t sink_ = sink("sink", {b_});
};

TEST_F(FusedKernels, AreUsedForAWholeChain) {
  kernel("whole", source_, sink_, 4);
  const JobGraph job = translate();
  EXPECT_EQ(tasks_of(job), "source*a*b*sink");
  EXPECT_EQ(modules_.type_at(job.tasks[0].links[0].op.offset), "whole");
  EXPECT_EQ(job.tasks[0].links[0].op.type_name, "whole");
}

TEST_F(FusedKernels, LeaveOtherOperatorsAsTheyAre) {
  kernel("ab", a_, b_, 2);
  const JobGraph job = translate();
  EXPECT_EQ(tasks_of(job), "source+a*b+sink");
  EXPECT_EQ(modules_.type_at(job.tasks[0].links[0].op.offset), "source");
  EXPECT_EQ(modules_.type_at(job.tasks[0].links[1].op.offset), "ab");
  EXPECT_EQ(modules_.type_at(job.tasks[0].links[2].op.offset), "sink");
}

TEST_F(FusedKernels, OfTheLongestRunWin) {
  kernel("source a", source_, a_, 2);
  kernel("a b sink", a_, sink_, 3);
  kernel("b sink", b_, sink_, 2);
  EXPECT_EQ(tasks(), "source+a*b*sink");
}

TEST_F(FusedKernels, BesideEachOtherAreBothUsed) {
  kernel("source a", source_, a_, 2);
  kernel("b sink", b_, sink_, 2);
  EXPECT_EQ(tasks(), "source*a+b*sink");
}

TEST_F(FusedKernels, AreNotUsedIfSomethingBranchesFromTheirInside) {
  kernel("whole", source_, sink_, 4);
  kernel("b sink", b_, sink_, 2);
  sink("second sink", {a_});
  EXPECT_EQ(tasks(), "source+a+b*sink+second sink");
}

TEST_F(FusedKernels, MayHaveBranchesAtTheirEnd) {
  kernel("source a b", source_, b_, 3);
  sink("second sink", {b_});
  EXPECT_EQ(tasks(), "source*a*b+sink+second sink");
}

TEST_F(FusedKernels, AreNotUsedIfASideOutputOfTheirInsideIsRead) {
  kernel("whole", source_, sink_, 4);
  at(a_).outputs.push_back(&record_type<std::int64_t>());
  EXPECT_EQ(tasks(), "source*a*b*sink");  // there is one, and nobody reads it
  input_of(sink("errors", {a_})).output = 1;
  EXPECT_EQ(tasks(), "source+a+b+sink+errors");
}

TEST_F(FusedKernels, AreNotUsedAcrossASideOutput) {
  kernel("whole", source_, sink_, 4);
  at(a_).outputs.push_back(&record_type<std::int64_t>());
  input_of(b_).output = 1;
  EXPECT_EQ(tasks(), "source+a+b+sink");
}

TEST_F(FusedKernels, AreNotUsedAcrossTasks) {
  kernel("whole", source_, sink_, 4);
  kernel("b sink", b_, sink_, 2);
  at(b_).chains_with_input = false;
  EXPECT_EQ(tasks(), "source+a|b*sink");
  configuration_.set(options::kPipelineOperatorChaining, false);
  EXPECT_EQ(tasks(), "source|a|b|sink");
}

TEST_F(FusedKernels, AreNotUsedWhenFusionIsOff) {
  kernel("whole", source_, sink_, 4);
  configuration_.set(options::kPipelineFusion, false);
  EXPECT_EQ(tasks(), "source+a+b+sink");
}

TEST_F(FusedKernels, ForAnotherNumberOfOperatorsAreRefused) {
  kernel("whole", source_, sink_, 3);
  EXPECT_EQ(refusal(),
            "the fused kernel from 'source' to 'sink' stands for 3 operators, there are 4: set "
            "pipeline.fusion to false");
}

}  // namespace
}  // namespace freshet::core
