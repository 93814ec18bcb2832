#include "translation/chaining.h"

#include <algorithm>
#include <limits>

#include "freshet/error.h"

namespace freshet::core {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// For each vertex the one that it is chained to, and how many edges it has on either side.
struct Surroundings {
  explicit Surroundings(const JobGraph& job)
      : chained_to(job.vertices.size(), kNone),
        by_main_output(job.vertices.size(), false),
        consumers(job.vertices.size(), 0) {
    for (const JobEdge& edge : job.edges) {
      ++consumers[edge.from];
      if (!edge.chained) continue;
      chained_to[edge.to] = edge.from;
      by_main_output[edge.to] = edge.output == 0;
    }
  }
  std::vector<std::uint32_t> chained_to;
  std::vector<bool> by_main_output;
  std::vector<std::uint32_t> consumers;
};

// From head to tail; empty if the candidate does not fit.
std::vector<std::uint32_t> run_of(const Surroundings& around, std::uint32_t head,
                                  std::uint32_t tail) {
  std::vector<std::uint32_t> run{tail};
  while (run.back() != head) {
    const std::uint32_t before = around.chained_to[run.back()];
    if (before == kNone || !around.by_main_output[run.back()] || around.consumers[before] != 1) {
      return {};
    }
    run.push_back(before);
  }
  std::reverse(run.begin(), run.end());
  return run;
}

}  // namespace

void chain_edges(const StreamGraph& pipeline, bool chaining, JobGraph& job) {
  if (!chaining) return;
  for (JobEdge& edge : job.edges) {
    const StreamVertex& consumer = pipeline.vertices()[edge.to];
    const std::uint32_t parallelism = job.vertices[edge.to].parallelism;
    const bool one_to_one = edge.partitioning == Partitioning::kForward || parallelism == 1;
    edge.chained = one_to_one && consumer.chains_with_input &&
                   pipeline.vertices()[edge.from].chains_with_output &&
                   consumer.inputs.size() == 1 &&
                   parallelism == job.vertices[edge.from].parallelism;
  }
}

std::vector<FusedRun> choose_fused_runs(const StreamGraph& pipeline, const JobGraph& job) {
  const Surroundings around(job);
  std::vector<FusedRun> fitting;
  for (std::uint32_t tail = 0; tail < pipeline.vertices().size(); ++tail) {
    for (const FusedCandidate& kernel : pipeline.vertices()[tail].fused) {
      std::vector<std::uint32_t> run = run_of(around, kernel.head, tail);
      if (run.empty()) continue;
      if (kernel.descriptor->stages != run.size()) {
        throw InvalidInput("the fused kernel from '" + job.vertices[kernel.head].name + "' to '" +
                           job.vertices[tail].name + "' stands for " +
                           std::to_string(kernel.descriptor->stages) + " operators, there are " +
                           std::to_string(run.size()) + ": set pipeline.fusion to false");
      }
      fitting.push_back({std::move(run), &kernel});
    }
  }
  std::stable_sort(fitting.begin(), fitting.end(), [](const FusedRun& a, const FusedRun& b) {
    return a.vertices.size() > b.vertices.size();
  });

  std::vector<FusedRun> chosen;
  std::vector<bool> taken(job.vertices.size(), false);
  for (FusedRun& run : fitting) {
    const auto is_taken = [&](std::uint32_t v) { return taken[v]; };
    if (std::any_of(run.vertices.begin(), run.vertices.end(), is_taken)) continue;
    for (const std::uint32_t v : run.vertices) taken[v] = true;
    chosen.push_back(std::move(run));
  }
  return chosen;
}

std::vector<JobTask> make_tasks(const JobGraph& job, const std::vector<FusedRun>& runs) {
  const Surroundings around(job);
  std::vector<const FusedRun*> run_at(job.vertices.size(), nullptr);
  for (const FusedRun& run : runs) {
    for (const std::uint32_t v : run.vertices) run_at[v] = &run;
  }

  std::vector<JobTask> tasks;
  std::vector<std::uint32_t> task_of(job.vertices.size(), kNone);
  // Inputs stand at lesser places, so this order has what is upstream first.
  for (std::uint32_t v = 0; v < job.vertices.size(); ++v) {
    if (around.chained_to[v] == kNone) {
      task_of[v] = static_cast<std::uint32_t>(tasks.size());
      tasks.push_back({{}, job.vertices[v].parallelism});
    } else {
      task_of[v] = task_of[around.chained_to[v]];
    }
    std::vector<JobLink>& links = tasks[task_of[v]].links;
    if (run_at[v] == nullptr) {
      links.push_back({{v}, job.vertices[v].op});
    } else if (run_at[v]->vertices.front() == v) {
      links.push_back({run_at[v]->vertices, {}});
    }
  }
  return tasks;
}

}  // namespace freshet::core
