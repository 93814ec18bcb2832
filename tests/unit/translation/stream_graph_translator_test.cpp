#include "translation/stream_graph_translator.h"

#include "test_pipelines.h"

namespace freshet::core {
namespace {

using Word = Keyed<std::string, std::int64_t>;

class StreamGraphTranslation : public testing::TranslationTest {};

// ---- shape ----------------------------------------------------------------------------------

TEST_F(StreamGraphTranslation, RefusesAJobWithoutOperators) {
  EXPECT_EQ(refusal(), "job 'test' has no operators: add a source and a sink before execute()");
}

TEST_F(StreamGraphTranslation, RefusesAJobWithoutASink) {
  map("double", {source("numbers")});
  EXPECT_EQ(refusal(),
            "job 'test' has no sink, the last of its 2 operators is 'double': end a stream with "
            "print(), discard(), or another sink");
}

TEST_F(StreamGraphTranslation, TakesAStreamThatNobodyReadsBesideOneWithASink) {
  const auto numbers = source("numbers");
  map("unread", {numbers});
  sink("print", {numbers});
  EXPECT_EQ(translate().vertices.size(), 3u);
}

TEST_F(StreamGraphTranslation, RefusesAnOperatorWithoutInputAndASourceWithOne) {
  const auto print = sink("print", {source("numbers")});
  at(print).source = true;
  EXPECT_EQ(refusal(), "operator 'print' is a source and has an input: take it out");
  at(print).source = false;
  at(print).inputs.clear();
  EXPECT_EQ(refusal(), "operator 'print' is no source and has no input: give it one");
}

TEST_F(StreamGraphTranslation, RefusesAnOutputThatIsNotThere) {
  input_of(sink("print", {source("numbers")})).output = 1;
  EXPECT_EQ(refusal(),
            "the edge from 'numbers' to 'print' takes output 1, there are 1: a sink has none");
}

TEST_F(StreamGraphTranslation, RefusesABlockingExchangeByName) {
  input_of(sink("print", {source("numbers")})).exchange = ExchangeKind::kBlocking;
  EXPECT_EQ(
      refusal(),
      "the edge from 'numbers' to 'print' is a blocking exchange, which this version does not "
      "have: use a pipelined one");
}

// ---- parallelism ----------------------------------------------------------------------------

TEST_F(StreamGraphTranslation, TakesParallelismFromTheOperatorElseFromTheJob) {
  const auto numbers = source("numbers");
  const auto twice = map("double", {numbers});
  sink("print", {twice});
  at(numbers).fixed_parallelism = 1;
  at(twice).parallelism = 3;
  at(twice).max_parallelism = 500;
  configuration_.set(options::kParallelismDefault, 5);
  configuration_.set(options::kPipelineMaxParallelism, 60);
  const JobGraph job = translate();
  EXPECT_EQ(job.vertices[0].parallelism, 1u);
  EXPECT_EQ(job.vertices[1].parallelism, 3u);
  EXPECT_EQ(job.vertices[1].max_parallelism, 500u);
  EXPECT_EQ(job.vertices[2].parallelism, 5u);
  EXPECT_EQ(job.vertices[2].max_parallelism, 60u);
}

TEST_F(StreamGraphTranslation, RefusesParallelismAboveTheMaximum) {
  const auto count = sink("count", {source("numbers")});
  at(count).parallelism = 200;
  EXPECT_EQ(refusal(),
            "parallelism 200 of 'count' is above the maximum parallelism 128: lower it or raise "
            "pipeline.max-parallelism");
  at(count).max_parallelism = 150;
  EXPECT_EQ(refusal(),
            "parallelism 200 of 'count' is above the maximum parallelism 150: lower it or raise "
            "its maximum parallelism");
  at(count).max_parallelism = 32769;
  EXPECT_EQ(refusal(),
            "maximum parallelism 32769 of 'count' is not in 1 to 32768: choose one that is");
  at(count).max_parallelism = 32768;
  EXPECT_EQ(translate().vertices[1].parallelism, 200u);
}

TEST_F(StreamGraphTranslation, RefusesAnotherParallelismThanTheFixedOne) {
  const auto numbers = source("numbers");
  sink("print", {numbers});
  at(numbers).fixed_parallelism = 1;
  at(numbers).parallelism = 4;
  EXPECT_EQ(refusal(),
            "parallelism 4 of 'numbers' can't be: this operator runs with parallelism 1 only; set "
            "it on the operators after it");
  at(numbers).parallelism = 1;
  EXPECT_EQ(translate().vertices[0].parallelism, 1u);
}

// ---- edges ----------------------------------------------------------------------------------

TEST_F(StreamGraphTranslation, MakesAutomaticEdgesForwardOrRebalance) {
  const auto numbers = source("numbers");
  const auto twice = map("double", {numbers});
  const auto print = sink("print", {twice});
  at(numbers).parallelism = at(twice).parallelism = 2;
  at(print).parallelism = 3;
  const JobGraph job = translate();
  EXPECT_EQ(job.edges[0].partitioning, Partitioning::kForward);
  EXPECT_EQ(job.edges[1].partitioning, Partitioning::kRebalance);
}

TEST_F(StreamGraphTranslation, RefusesForwardBetweenUnequalParallelism) {
  const auto numbers = source("numbers");
  at(numbers).parallelism = 2;
  partition(sink("print", {numbers}), Partitioning::kForward);
  EXPECT_EQ(refusal(),
            "the edge from 'numbers' to 'print' is forward, but their parallelism is 2 and 1: make "
            "them equal, or use rebalance() or rescale()");
}

TEST_F(StreamGraphTranslation, PartitionsByHashOnlyWhatHasAKey) {
  const auto words = map("words", {source("numbers")}, record_type<Word>());
  partition(sink("print", {words}), Partitioning::kHash);
  EXPECT_EQ(translate().edges[1].partitioning, Partitioning::kHash);
  partition(words, Partitioning::kHash);
  EXPECT_EQ(refusal(),
            "the edge from 'numbers' to 'words' partitions by hash, but its records i64 carry no "
            "key: use key_by()");
}

TEST_F(StreamGraphTranslation, PutsTheProducersSchemaOnTheEdge) {
  sink("print", {map("words", {source("numbers")}, record_type<Word>())});
  const JobGraph job = translate();
  const Schema& schema = record_type<Word>().schema();
  EXPECT_EQ(job.vertices[1].outputs[0].schema, schema.text());
  EXPECT_EQ(job.edges[1].fingerprint, schema.fingerprint());
}

TEST_F(StreamGraphTranslation, RefusesModulesThatDisagreeOnARecord) {
  const auto print = sink("print", {source("numbers")});
  input_of(print).expects = &record_type<std::string>();
  EXPECT_EQ(refusal(),
            "'numbers' sends records i64, 'print' reads string: build their modules against one "
            "definition of the record type");
  const RecordType as_in_another_module = record_type<std::int64_t>();
  input_of(print).expects = &as_in_another_module;
  EXPECT_EQ(translate().edges.size(), 1u);
}

TEST_F(StreamGraphTranslation, RefusesEqualSchemasThatLieDifferentlyInMemory) {
  const auto words = map("words", {source("numbers")}, record_type<std::string_view>());
  input_of(sink("print", {words})).expects = &record_type<std::string>();
  EXPECT_EQ(refusal(),
            "'words' sends records string of 16 bytes aligned to 8, 'print' reads string of 32 "
            "bytes aligned to 8: build their modules against one definition of the record type");
}

// ---- ids ------------------------------------------------------------------------------------

TEST_F(StreamGraphTranslation, RefusesAUidThatTwoOperatorsHave) {
  const auto numbers = source("numbers");
  const auto print = sink("print", {numbers});
  at(numbers).uid = at(print).uid = "same";
  EXPECT_EQ(refusal(),
            "uid 'same' is used by two operators, 'numbers' and 'print': give each a uid of its "
            "own");
}

// Recorded: snapshots are matched by these.
TEST_F(StreamGraphTranslation, GivesIdsThatNeverChange) {
  at(sink("print", {source("numbers")})).uid = "the print";
  const JobGraph job = translate();
  EXPECT_EQ(job.vertices[0].id, "76ffd043eb04b6c64d9fffbd72900b78");
  EXPECT_EQ(job.vertices[1].id, "86b9464e5121f3bcc7fb771f75de4993");
  EXPECT_EQ(job.id, "54a137be799ba9be0ee9881c7b91c5c9");
}

TEST_F(StreamGraphTranslation, KeepsIdsWhenNamesUidsOrUnrelatedPartsChange) {
  sink("print", {map("double", {source("numbers")})});
  const JobGraph before = translate();

  graph_ = StreamGraph();
  const auto words = source("words");
  at(words).uid = "named";
  const auto twice = map("other name", {words});
  at(twice).parallelism = 2;
  const auto unrelated = source("second source");
  sink("second sink", {unrelated});
  const auto print = sink("other print", {twice});
  const JobGraph after = translate();
  EXPECT_NE(after.vertices[words].id, before.vertices[0].id);  // it has a uid now
  EXPECT_EQ(after.vertices[twice].id, before.vertices[1].id);
  EXPECT_EQ(after.vertices[print].id, before.vertices[2].id);
  EXPECT_NE(after.vertices[unrelated].id, before.vertices[0].id);
}

TEST_F(StreamGraphTranslation, GivesOperatorsOfOnePositionDifferentIds) {
  const auto numbers = source("numbers");
  sink("print", {numbers});
  sink("print", {numbers});
  const JobGraph job = translate();
  EXPECT_NE(job.vertices[1].id, job.vertices[2].id);
}

TEST_F(StreamGraphTranslation, CountsJobsOfOneNameAndKnowsThoseWithAUid) {
  sink("print", {source("numbers")});
  TranslatorRegistry first_run(modules_, "application");
  TranslatorRegistry second_run(modules_, "application");
  TranslatorRegistry other_application(modules_, "another");
  const auto id_in = [&](TranslatorRegistry& registry) {
    return registry.translate(graph_, configuration_).id;
  };
  const std::string first = id_in(first_run);
  const std::string second = id_in(first_run);
  EXPECT_NE(first, second);
  EXPECT_EQ(id_in(second_run), first);
  EXPECT_EQ(id_in(second_run), second);
  EXPECT_NE(id_in(other_application), first);

  configuration_.set(options::kApplicationId, "fixed");
  const std::string fixed = id_in(first_run);
  EXPECT_EQ(id_in(other_application), fixed);

  graph_.job_uid = "daily";
  const std::string daily = id_in(first_run);
  graph_.job_name = "renamed";
  EXPECT_EQ(id_in(second_run), daily);
  try {
    id_in(first_run);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "job uid 'daily' is used by two jobs of this application, 'test' and 'renamed': "
                 "give each job a uid of its own");
  }
}

// ---- runtime mode and settings --------------------------------------------------------------

TEST_F(StreamGraphTranslation, IsBatchIfEverySourceIsBounded) {
  const auto clicks = source("clicks");
  sink("print", {source("numbers"), clicks});
  EXPECT_TRUE(translate().batch);
  configuration_.set(options::kExecutionRuntimeMode, RuntimeMode::kStreaming);
  EXPECT_FALSE(translate().batch);
  at(clicks).bounded = false;
  configuration_.set(options::kExecutionRuntimeMode, RuntimeMode::kAutomatic);
  EXPECT_FALSE(translate().batch);
  configuration_.set(options::kExecutionRuntimeMode, RuntimeMode::kBatch);
  EXPECT_EQ(
      refusal(),
      "execution.runtime-mode is batch, but source 'clicks' is unbounded: set it to streaming "
      "or automatic, or bound the source");
}

TEST_F(StreamGraphTranslation, CarriesSettingsOfJobScopeAndTheUsersOwn) {
  sink("print", {source("numbers")});
  configuration_.set(options::kExecutionTarget, "local");
  configuration_.set(options::kPipelineFusion, false);
  configuration_.set_raw("user.limit", "7", Origin::main());
  EXPECT_EQ(translate().settings, (std::map<std::string, std::string>{{"pipeline.fusion", "false"},
                                                                      {"user.limit", "7"}}));
}

TEST_F(StreamGraphTranslation, TakesTheJobsNameFromTheConfigurationFirst) {
  sink("print", {source("numbers")});
  EXPECT_EQ(translate().name, "test");
  configuration_.set(options::kPipelineName, "nightly");
  EXPECT_EQ(translate().name, "nightly");
}

// ---- translators of others ------------------------------------------------------------------

struct OtherPipeline final : Pipeline {
  std::string_view kind() const override { return "acme.sql"; }
};
struct OtherTranslator final : PipelineTranslator {
  explicit OtherTranslator(JobGraph graph) : job(std::move(graph)) {}
  std::string_view kind() const override { return "acme.sql"; }
  JobGraph translate(const Pipeline&, const Configuration&) const override { return job; }
  JobGraph job;
};

TEST_F(StreamGraphTranslation, RefusesAKindOfPipelineThatNoTranslatorKnows) {
  TranslatorRegistry registry(modules_, "application");
  try {
    registry.translate(OtherPipeline(), configuration_);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "no translator is for pipelines of kind 'acme.sql', there are those for "
                 "'freshet.stream-graph': install the front-end plugin that has it");
  }
}

TEST_F(StreamGraphTranslation, MayBeThatOfAnotherWhoseGraphIsValidatedAndGivenAnId) {
  sink("print", {source("numbers")});
  JobGraph job = translate();
  const std::string id = std::exchange(job.id, "");
  TranslatorRegistry registry(modules_, "application");
  registry.add(std::make_unique<OtherTranslator>(job));
  EXPECT_EQ(registry.translate(OtherPipeline(), configuration_).id, id);
  EXPECT_THROW(registry.add(std::make_unique<OtherTranslator>(job)), InvalidInput);

  job.edges[0].to = 99;
  TranslatorRegistry with_a_bad_one(modules_, "application");
  with_a_bad_one.add(std::make_unique<OtherTranslator>(job));
  EXPECT_THROW(with_a_bad_one.translate(OtherPipeline(), configuration_), InvalidInput);
}

}  // namespace
}  // namespace freshet::core
