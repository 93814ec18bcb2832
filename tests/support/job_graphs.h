// JobGraphs for tests: a small one written out, and random ones that hold to all rules.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "freshet/plugin/job_graph.h"

namespace freshet::testing {

inline std::string hex(std::size_t digits, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  while (text.size() < digits) text += "0123456789abcdef"[random() % 16];
  return text;
}

// lines -> words (fused with it) -> count, at parallelism 2, by key.
inline JobGraph word_count_graph() {
  JobGraph job;
  job.id = hex(32, 1);
  job.name = "word count";
  job.batch = true;
  job.modules = {{hex(64, 2), "word_count.so", ModuleKind::kShipped},
                 {hex(64, 3), "libfiles.so", ModuleKind::kInstalled}};
  const auto vertex = [](std::uint64_t seed, const char* kind, const char* name) {
    JobVertex v;
    v.id = hex(32, seed);
    v.kind = kind;
    v.name = name;
    v.op = {0, 4096 * seed, "", std::string("Stage<") + kind + ">"};
    v.parallelism = 2;
    return v;
  };
  job.vertices = {vertex(10, "source", "lines"), vertex(11, "flat_map", "words"),
                  vertex(12, "count", "count"), vertex(13, "sink", "print")};
  job.vertices[0].source = true;
  job.vertices[0].coordinated = true;
  job.vertices[0].uid = "lines";
  job.vertices[0].outputs = {{"string", 7, false}};
  job.vertices[1].outputs = {{"{u64,string}", 8, false}, {"i64", 9, true}};
  job.vertices[1].payload = {std::string("\0captures\xff and more", 19), {{3, 1, 64}, {11, 0, 72}}};
  job.vertices[2].outputs = {{"{string,i64}", 10, false}};
  job.edges = {{0, 0, 1, 0, Partitioning::kForward, ExchangeKind::kPipelined, 7, true},
               {1, 0, 2, 0, Partitioning::kHash, ExchangeKind::kPipelined, 8, false},
               {2, 0, 3, 0, Partitioning::kForward, ExchangeKind::kPipelined, 10, true}};
  job.tasks = {{{{{0, 1}, {0, 8192, "", "Kernel<lines, words>"}}}, 2},
               {{{{2}, job.vertices[2].op}, {{3}, job.vertices[3].op}}, 2}};
  job.settings = {{"pipeline.fusion", "true"}, {"user.text", std::string("a\0b", 3)}};
  return job;
}

// Up to `most` vertices, each a task of its own or chained to its only input, with odd strings.
JobGraph random_job_graph(std::mt19937_64& random, std::uint32_t most);

}  // namespace freshet::testing
