#include "graph/plan_printer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "job_graphs.h"
#include "scale.h"

namespace freshet::core {
namespace {

using testing::word_count_graph;

TEST(PlanPrinter, TellsAPersonWhatRunsWhereAndWhatIsFused) {
  EXPECT_EQ(PlanPrinter(word_count_graph()).text(),
            "job 'word count': batch, 4 operators in 2 tasks, 4 subtasks\n"
            "  task 0, parallelism 2\n"
            "    fused kernel of 2 operators\n"
            "      0 source 'lines' (uid 'lines')\n"
            "      1 flat_map 'words'\n"
            "  task 1, parallelism 2\n"
            "    2 count 'count'  <- 1 hash\n"
            "    3 sink 'print'  <- 2 forward, chained\n");
}

TEST(PlanPrinter, MarksSideOutputsUnboundedSourcesAndMessagePack) {
  JobGraph job = word_count_graph();
  job.batch = false;
  job.vertices[0].bounded = false;
  job.edges[1].output = 1;
  job.edges[1].fingerprint = 9;
  const std::string text = PlanPrinter(job).text();
  EXPECT_NE(text.find("job 'word count': streaming, "), std::string::npos);
  EXPECT_NE(text.find("0 source 'lines' (uid 'lines') (unbounded)\n"), std::string::npos);
  EXPECT_NE(text.find("2 count 'count'  <- 1 (side output 1) hash, MessagePack records\n"),
            std::string::npos);
}

TEST(PlanPrinter, GivesTypesSchemasAndSettingsOnRequestButNoSecrets) {
  JobGraph job = word_count_graph();
  job.settings["user.password"] = "hunter2";
  const std::string text = PlanPrinter(job).text(/*details=*/true);
  EXPECT_NE(text.find("type Kernel<lines, words> in word_count.so\n"), std::string::npos);
  EXPECT_NE(text.find("type Stage<count> in word_count.so\n"), std::string::npos);
  EXPECT_NE(text.find("records {u64,string}\n"), std::string::npos);
  EXPECT_NE(text.find("side output 1 i64\n"), std::string::npos);
  EXPECT_NE(text.find("module libfiles.so (installed), sha256 " + job.modules[1].sha256),
            std::string::npos);
  EXPECT_NE(text.find("  pipeline.fusion: true\n"), std::string::npos);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_EQ(PlanPrinter(job).json().find("hunter2"), std::string::npos);
}

TEST(PlanPrinter, LetsNoNameDriveATerminalOrBreakOutOfDot) {
  JobGraph job = word_count_graph();
  job.name = "\x1b[2Jclear";
  job.vertices[3].name = "a\"];evil\n\\";
  EXPECT_EQ(PlanPrinter(job).text(true).find('\x1b'), std::string::npos);
  EXPECT_NE(PlanPrinter(job).dot().find("v3 [label=\"a\\\"];evil?\\\\\\nsink\"];\n"),
            std::string::npos);
}

TEST(PlanPrinter, DrawsTasksAndKernelsAsBoxes) {
  const std::string dot = PlanPrinter(word_count_graph()).dot();
  EXPECT_EQ(dot.rfind("digraph \"word count\" {\n", 0), 0u);
  EXPECT_NE(dot.find("subgraph cluster_task0 {\n    label=\"task 0, parallelism 2\";\n"
                     "    subgraph cluster_kernel0 {\n    label=\"fused kernel\"; "),
            std::string::npos);
  EXPECT_NE(dot.find("    v1 [label=\"words\\nflat_map\"];\n"), std::string::npos);
  EXPECT_NE(dot.find("  v1 -> v2 [label=\"hash\"];\n"), std::string::npos);
  EXPECT_NE(dot.find("  v0 -> v1 [label=\"\", style=bold];\n"), std::string::npos);
  EXPECT_EQ(dot.substr(dot.size() - 2), "}\n");
}

TEST(PlanPrinter, WritesJsonForPrograms) {
  const auto plan = nlohmann::json::parse(PlanPrinter(word_count_graph()).json());
  EXPECT_EQ(plan["name"], "word count");
  EXPECT_EQ(plan["mode"], "batch");
  EXPECT_EQ(plan["vertices"][1]["kind"], "flat_map");
  EXPECT_EQ(plan["vertices"][1]["outputs"][0]["fingerprint"], "0000000000000008");
  EXPECT_EQ(plan["vertices"][1]["operator"]["type"], "Stage<flat_map>");
  EXPECT_EQ(plan["edges"][1]["partitioning"], "hash");
  EXPECT_EQ(plan["edges"][0]["fused"], true);
  EXPECT_EQ(plan["edges"][2]["fused"], false);
  EXPECT_EQ(plan["tasks"][0]["links"][0]["fused"], true);
  EXPECT_EQ(plan["tasks"][1]["links"][1]["vertices"], (std::vector<int>{3}));
  EXPECT_EQ(plan["settings"]["pipeline.fusion"], "true");
}

TEST(PlanPrinter, TakesAnyValidGraph) {
  std::mt19937_64 random(3);
  for (int i = testing::scaled(400); i > 0; --i) {
    const JobGraph job = testing::random_job_graph(random, 20);
    const PlanPrinter printer(job);
    const auto plan = nlohmann::json::parse(printer.json());
    ASSERT_EQ(plan["vertices"].size(), job.vertices.size());
    const std::string text = printer.text(true);
    for (std::size_t v = 0; v < job.vertices.size(); ++v) {
      ASSERT_NE(text.find("id " + job.vertices[v].id), std::string::npos);
    }
    ASSERT_FALSE(printer.dot().empty());
  }
}

}  // namespace
}  // namespace freshet::core
