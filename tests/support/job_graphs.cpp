#include "job_graphs.h"

namespace freshet::testing {
namespace {

std::string any_bytes(std::mt19937_64& random, std::size_t most) {
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

OperatorReference any_operator(std::mt19937_64& random, const JobGraph& job) {
  return {static_cast<std::uint32_t>(random() % job.modules.size()), random(), any_bytes(random, 5),
          any_bytes(random, 40)};
}

JobVertex any_vertex(std::mt19937_64& random, const JobGraph& job) {
  JobVertex vertex;
  vertex.id = hex(32, random());
  vertex.kind = any_bytes(random, 8);
  vertex.name = any_bytes(random, 30);
  vertex.uid = any_bytes(random, 3);
  vertex.op = any_operator(random, job);
  vertex.payload.bytes = any_bytes(random, 300);
  std::uint32_t at = 0;
  while (random() % 3 == 0 && at + 8 <= vertex.payload.bytes.size()) {
    vertex.payload.code.push_back(
        {at, static_cast<std::uint32_t>(random() % job.modules.size()), random()});
    at += 8 + static_cast<std::uint32_t>(random() % 4);
  }
  vertex.max_parallelism = static_cast<std::uint32_t>(1 + random() % 32768);
  vertex.parallelism =
      random() % 2 ? 1 : static_cast<std::uint32_t>(1 + random() % vertex.max_parallelism);
  vertex.bounded = random() % 2;
  vertex.coordinated = random() % 2;
  for (std::uint64_t outputs = random() % 3; outputs != 0; --outputs) {
    vertex.outputs.push_back({any_bytes(random, 20), random(), random() % 2 == 0});
  }
  return vertex;
}

}  // namespace

JobGraph random_job_graph(std::mt19937_64& random, std::uint32_t most) {
  JobGraph job;
  job.id = hex(32, random());
  job.name = any_bytes(random, 40);
  job.batch = random() % 2;
  for (std::uint64_t m = 0; m < 1 + random() % 3; ++m) {
    job.modules.push_back(
        {hex(64, random()), "module" + std::to_string(m), static_cast<ModuleKind>(random() % 3)});
  }
  const auto count = static_cast<std::uint32_t>(1 + random() % most);
  std::vector<std::uint32_t> task_of;
  for (std::uint32_t v = 0; v < count; ++v) {
    job.vertices.push_back(any_vertex(random, job));
    JobVertex& vertex = job.vertices.back();
    std::vector<JobEdge> inputs;
    for (std::uint64_t tries = v == 0 ? 0 : random() % 4; tries != 0; --tries) {
      JobEdge edge;
      edge.from = static_cast<std::uint32_t>(random() % v);
      const JobVertex& from = job.vertices[edge.from];
      if (from.outputs.empty()) continue;
      edge.output = static_cast<std::uint32_t>(random() % from.outputs.size());
      edge.to = v;
      edge.input = static_cast<std::uint32_t>(inputs.size());
      edge.partitioning = static_cast<Partitioning>(1 + random() % 6);
      edge.fingerprint = from.outputs[edge.output].fingerprint;
      inputs.push_back(edge);
    }
    vertex.source = inputs.empty();
    if (inputs.size() == 1 && random() % 2) {
      inputs[0].partitioning = Partitioning::kForward;
      inputs[0].chained = true;
      vertex.parallelism = job.vertices[inputs[0].from].parallelism;
      vertex.max_parallelism = 32768;
      task_of.push_back(task_of[inputs[0].from]);
    } else {
      task_of.push_back(static_cast<std::uint32_t>(job.tasks.size()));
      job.tasks.push_back({{}, vertex.parallelism});
    }
    job.tasks[task_of[v]].links.push_back({{v}, vertex.op});
    job.edges.insert(job.edges.end(), inputs.begin(), inputs.end());
  }
  for (std::uint64_t s = random() % 4; s != 0; --s) {
    job.settings[any_bytes(random, 9)] = any_bytes(random, 20);
  }
  return job;
}

}  // namespace freshet::testing
