// What a translator may leave out of its graph.
#include "translation/completion.h"

#include <gtest/gtest.h>

#include "freshet/error.h"
#include "freshet/payload.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/module.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {
namespace {

class Nothing final : public Operator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Nothing>();
  }
  void process(std::uint32_t, Batch&) override {}
  void watermark(std::int64_t) override {}
  void end_of_input(std::uint32_t) override {}
};

}  // namespace
}  // namespace freshet::core

FRESHET_OPERATOR("completion.nothing", freshet::core::Nothing);

namespace freshet::core {
namespace {

// source -> middle (chained) -> sink
JobGraph small_graph() {
  JobGraph job;
  job.id = std::string(32, 'a');
  job.name = "small";
  const ByteSchema schema = byte_record_schema();
  for (const char* name : {"source", "middle", "sink"}) {
    JobVertex vertex;
    vertex.kind = vertex.name = name;
    vertex.op.registered_name = "completion.nothing";
    if (job.vertices.size() < 2) vertex.outputs = {{schema.text, schema.fingerprint, false}};
    job.vertices.push_back(vertex);
  }
  job.vertices[0].source = true;
  job.vertices[2].uid = "the sink";
  job.edges.resize(2);
  job.edges[0].to = 1;
  job.edges[0].chained = true;
  job.edges[1].from = 1;
  job.edges[1].to = 2;
  return job;
}

ProcessModules& modules() { return ProcessModules::of_this_process(); }

TEST(Completion, MakesAValidGraphOfOneWithNamesAndEdgesAlone) {
  JobGraph job = small_graph();
  complete_job(job, modules());
  job.validate();
  ASSERT_EQ(job.modules.size(), 1u);
  EXPECT_EQ(job.modules[0].kind, ModuleKind::kExecutable);
  for (const JobVertex& vertex : job.vertices) EXPECT_NE(vertex.op.type_name, "");
  ASSERT_EQ(job.tasks.size(), 2u);
  EXPECT_EQ(job.tasks[0].links.size(), 2u);
  EXPECT_EQ(job.edges[1].fingerprint, byte_record_schema().fingerprint);
}

TEST(Completion, GivesTheSameIdsAgainAndByUidWhateverElseChanges) {
  JobGraph one = small_graph(), two = small_graph();
  two.vertices[2].name = two.vertices[2].kind = "renamed";
  complete_job(one, modules());
  complete_job(two, modules());
  for (std::size_t v = 0; v < 3; ++v) EXPECT_EQ(one.vertices[v].id, two.vertices[v].id);
  EXPECT_NE(one.vertices[0].id, one.vertices[1].id);
}

TEST(Completion, LeavesWhatIsThere) {
  JobGraph job = small_graph();
  job.vertices[0].id = std::string(32, 'b');
  job.edges[0].chained = false;
  job.tasks = {{{{{0}, {}}}, 1}, {{{{1}, {}}}, 1}, {{{{2}, {}}}, 1}};
  complete_job(job, modules());
  EXPECT_EQ(job.vertices[0].id, std::string(32, 'b'));
  EXPECT_EQ(job.tasks.size(), 3u);
}

TEST(Completion, NamesAnOperatorThatNobodyHas) {
  JobGraph job = small_graph();
  job.vertices[1].op.registered_name = "completion.no-such";
  try {
    complete_job(job, modules());
    FAIL() << "it was completed";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "operator 'middle' of job 'small' is registered as 'completion.no-such', which no "
                 "loaded module has (is 'completion.nothing' meant? Registered are "
                 "'completion.nothing'): install the operator library that has it");
  }
}

TEST(Completion, RefusesAnOperatorChainedToOneBehindIt) {
  JobGraph job = small_graph();
  std::swap(job.edges[1].from, job.edges[1].to);
  job.edges[1].chained = true;
  EXPECT_THROW(complete_job(job, modules()), InvalidInput);
}

TEST(Completion, LeavesPlacesOutOfRangeToValidation) {
  JobGraph job = small_graph();
  job.edges[1].to = 77;
  complete_job(job, modules());
  EXPECT_THROW(job.validate(), InvalidInput);
}

}  // namespace
}  // namespace freshet::core
