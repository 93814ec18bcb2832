#include "graph/execution_graph.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "freshet/error.h"
#include "job_graphs.h"

namespace freshet::testing {
using namespace core;
namespace {

// writers -> readers, joined by one edge that is no call.
JobGraph two_tasks(std::uint32_t writers, std::uint32_t readers, Partitioning partitioning) {
  JobGraph job = word_count_graph();
  job.vertices[0].parallelism = job.vertices[1].parallelism = job.tasks[0].parallelism = writers;
  job.vertices[2].parallelism = job.vertices[3].parallelism = job.tasks[1].parallelism = readers;
  job.edges[1].partitioning = partitioning;
  return job;
}

TEST(ExecutionGraph, UnrollsTasksToSubtasksInOrder) {
  const JobGraph job = two_tasks(2, 3, Partitioning::kHash);
  const ExecutionGraph graph(job);
  ASSERT_EQ(graph.subtasks().size(), 5u);
  for (std::uint32_t task = 0; task < 2; ++task) {
    for (std::uint32_t subtask = 0; subtask < job.tasks[task].parallelism; ++subtask) {
      const auto& id = graph.subtasks()[graph.place_of(task, subtask)];
      EXPECT_EQ(id.task, task);
      EXPECT_EQ(id.subtask, subtask);
    }
  }
  EXPECT_EQ(graph.task_of_vertex(1), 0u);
  EXPECT_EQ(graph.task_of_vertex(2), 1u);
}

TEST(ExecutionGraph, CountsTheChannelsOfEdgesThatAreNoCalls) {
  using P = Partitioning;
  for (const auto& [partitioning, channels] : {std::pair{P::kHash, 12u},
                                               {P::kRebalance, 12u},
                                               {P::kShuffle, 12u},
                                               {P::kBroadcast, 12u},
                                               {P::kGlobal, 3u},
                                               {P::kRescale, 4u}}) {
    const JobGraph job = two_tasks(3, 4, partitioning);
    EXPECT_EQ(ExecutionGraph(job).channel_count(), channels) << name_of(partitioning);
  }
  const JobGraph job = two_tasks(4, 4, P::kForward);
  EXPECT_EQ(ExecutionGraph(job).channel_count(), 4u);
}

// What channel_count() says without counting is what there is.
TEST(ExecutionGraph, HasAsManyChannelsAsItsTargets) {
  using P = Partitioning;
  for (const P partitioning : {P::kHash, P::kRebalance, P::kShuffle, P::kBroadcast, P::kGlobal,
                               P::kRescale, P::kForward}) {
    for (std::uint32_t writers = 1; writers <= 7; ++writers) {
      for (std::uint32_t readers = 1; readers <= 7; ++readers) {
        if (partitioning == P::kForward && writers != readers) continue;
        const JobGraph job = two_tasks(writers, readers, partitioning);
        const ExecutionGraph graph(job);
        std::size_t counted = 0;
        graph.for_each_channel([&](const ExecutionGraph::ChannelEnds&) { ++counted; });
        EXPECT_EQ(graph.channel_count(), counted)
            << name_of(partitioning) << " " << writers << " " << readers;
      }
    }
  }
}

std::string refusal(const JobGraph& job) {
  try {
    const ExecutionGraph graph(job);
  } catch (const InvalidInput& refused) {
    return refused.what();
  }
  return "";
}

TEST(ExecutionGraph, RefusesMoreChannelsThanTheLimitWithoutMakingThem) {
  for (const auto partitioning : {Partitioning::kHash, Partitioning::kBroadcast}) {
    const std::string refused = refusal(two_tasks(30'000, 30'000, partitioning));
    EXPECT_NE(refused.find("has 900000000 channels between its subtasks, the limit is 4000000"),
              std::string::npos)
        << refused;
    EXPECT_NE(refused.find("set a lower parallelism"), std::string::npos) << refused;
  }
  EXPECT_EQ(refusal(two_tasks(30'000, 30'000, Partitioning::kForward)), "");
}

TEST(ExecutionGraph, RefusesMoreSubtasksThanTheLimit) {
  JobGraph job = two_tasks(32'768, 1, Partitioning::kGlobal);
  EXPECT_EQ(refusal(job), "");
  for (int i = 0; i < 3; ++i) job.tasks.push_back(job.tasks[0]);
  const std::string refused = refusal(job);
  EXPECT_NE(refused.find("has 131073 subtasks, the limit is 100000"), std::string::npos) << refused;
  EXPECT_NE(refused.find("alone has 32768"), std::string::npos) << refused;
}

TEST(ExecutionGraph, ForwardJoinsEqualNumbersAndGlobalTheFirst) {
  const JobGraph forward = two_tasks(3, 3, Partitioning::kForward);
  const JobGraph global = two_tasks(3, 5, Partitioning::kGlobal);
  for (std::uint32_t from = 0; from < 3; ++from) {
    EXPECT_EQ(ExecutionGraph(forward).targets(forward.edges[1], from),
              std::vector<std::uint32_t>{from});
    EXPECT_EQ(ExecutionGraph(global).targets(global.edges[1], from), std::vector<std::uint32_t>{0});
  }
}

// Every reader is reached, shares differ by at most one, and neighbours stay together.
TEST(ExecutionGraph, RescaleSharesReadersOutEvenly) {
  for (std::uint32_t writers = 1; writers <= 9; ++writers) {
    for (std::uint32_t readers = 1; readers <= 9; ++readers) {
      SCOPED_TRACE(std::to_string(writers) + " to " + std::to_string(readers));
      const JobGraph job = two_tasks(writers, readers, Partitioning::kRescale);
      const ExecutionGraph graph(job);
      std::vector<std::uint32_t> writers_of(readers, 0);
      std::uint32_t before = 0;
      for (std::uint32_t from = 0; from < writers; ++from) {
        const auto targets = graph.targets(job.edges[1], from);
        ASSERT_FALSE(targets.empty());
        EXPECT_GE(targets.front(), before);
        before = targets.back();
        for (const std::uint32_t target : targets) ++writers_of.at(target);
        EXPECT_LE(targets.size(), (readers + writers - 1) / writers);
      }
      for (const std::uint32_t count : writers_of) {
        EXPECT_GE(count, 1u);
        EXPECT_LE(count, (writers + readers - 1) / readers);
      }
    }
  }
}

}  // namespace
}  // namespace freshet::testing
