// Jobs whose bytes were damaged on the way: each is refused with an Error or, where the damage
// makes another job of it that can be, prepared. No operator of them runs.
#include <random>

#include "carried.h"
#include "freshet/error.h"
#include "freshet/plugin/job_graph.h"
#include "modules/application.h"
#include "operators/prepared_job.h"
#include "scale.h"

namespace freshet::testing {
using namespace core;
namespace {

class DamagedJob : public Carried {
 protected:
  void SetUp() override {
    // Modules stay: loaded once, before any job is judged.
    static const fs::path state = [] {
      std::string pattern = (fs::temp_directory_path() / "freshet-travel-XXXXXX").native();
      return fs::path(::mkdtemp(pattern.data()));
    }();
    static const LoadedApplication application =
        load_application(ModuleStore(state), module("travel"), {});
    for (const char* job : {"functions", "operators"}) {
      ASSERT_EQ(carry("write", job, module("travel"), {job}).exit_code, 0);
      jobs_.push_back(content(file(job)));
    }
    std::error_code ignored;
    fs::remove_all(state, ignored);
  }

  // Makes everything that is made before a job runs. Returns false if it was refused.
  static bool is_prepared(const JobGraph& graph) { return is_prepared(graph.to_bytes()); }
  static bool is_prepared(const std::string& bytes) {
    try {
      const PreparedJob job(JobGraph::from_bytes(bytes));
      const JobGraph& graph = job.graph();
      for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
        static_cast<void>(job.make_coordinator(v));
      }
      for (std::uint32_t t = 0; t < graph.tasks.size(); ++t) {
        for (std::uint32_t l = 0; l < graph.tasks[t].links.size(); ++l) {
          EXPECT_NE(job.make_operator(t, l), nullptr);
        }
      }
      return true;
    } catch (const Error&) {
      return false;
    }
  }
  JobGraph graph(std::size_t job) const { return JobGraph::from_bytes(jobs_[job]); }

  template <class Damage>
  void expect_refused(Damage damage) {
    for (std::size_t job = 0; job < jobs_.size(); ++job) {
      JobGraph damaged = graph(job);
      if (!damage(damaged)) continue;
      ++damages_;
      EXPECT_FALSE(is_prepared(damaged));
    }
  }

  std::vector<std::string> jobs_;
  int damages_ = 0;
};

TEST_F(DamagedJob, IsPreparedAsItWas) {
  for (std::size_t job = 0; job < jobs_.size(); ++job) EXPECT_TRUE(is_prepared(graph(job)));
}

TEST_F(DamagedJob, WithAnotherPlaceOfAnOperatorIsRefused) {
  for (const std::uint64_t by : {1u, 8u, 0x1000u, 0x7fffffffu}) {
    expect_refused([&](JobGraph& g) { return g.vertices[1].op.offset += by, true; });
    expect_refused([&](JobGraph& g) { return g.tasks[0].links[0].op.offset -= by, true; });
  }
  expect_refused([](JobGraph& g) { return g.vertices[1].op.offset = ~std::uint64_t{0}, true; });
  expect_refused([](JobGraph& g) { return g.vertices[0].op.registered_name = "no.such", true; });
  EXPECT_EQ(damages_, 2 * (4 * 2 + 2));
}

TEST_F(DamagedJob, WithAnotherModuleIsRefused) {
  expect_refused([](JobGraph& g) { return g.vertices[0].op.module = 1, true; });
  expect_refused([](JobGraph& g) { return g.tasks[0].links[0].op.module = 0xffffffff, true; });
  expect_refused([](JobGraph& g) { return g.modules[0].sha256[5] ^= 1, true; });
  expect_refused([](JobGraph& g) { return g.modules[0].sha256 = "short", true; });
  expect_refused([](JobGraph& g) { return g.modules.clear(), true; });
  EXPECT_EQ(damages_, 2 * 5);
}

TEST_F(DamagedJob, WithAKernelOfOtherStagesIsRefused) {
  expect_refused([](JobGraph& g) {
    for (JobTask& task : g.tasks) {
      for (JobLink& link : task.links) {
        if (link.vertices.size() < 2) continue;
        link.op = g.vertices[link.vertices[0]].op;
        return true;
      }
    }
    return false;
  });
  expect_refused([](JobGraph& g) { return g.tasks[0].links[0].vertices.push_back(0), true; });
  EXPECT_EQ(damages_, 2 * 2);
}

TEST_F(DamagedJob, WithAFunctionElsewhereIsRefused) {
  const auto damage_code = [&](auto damage) {
    expect_refused([&](JobGraph& g) {
      for (JobVertex& vertex : g.vertices) {
        if (vertex.payload.code.empty()) continue;
        damage(vertex.payload, vertex.payload.code[0]);
        return true;
      }
      return false;
    });
  };
  damage_code([](JobPayload&, JobPayload::Code& code) { code.module_offset = 0x10; });  // no code
  damage_code([](JobPayload&, JobPayload::Code& code) { code.module_offset = ~std::uint64_t{0}; });
  damage_code([](JobPayload&, JobPayload::Code& code) { code.module = 7; });
  damage_code([](JobPayload& payload, JobPayload::Code& code) {
    code.offset = static_cast<std::uint32_t>(payload.bytes.size()) - 7;
  });
  damage_code([](JobPayload&, JobPayload::Code& code) { code.offset = 0xffffffff; });
  damage_code([](JobPayload& payload, JobPayload::Code&) { payload.bytes.clear(); });
  EXPECT_EQ(damages_, 6);  // one of the two jobs has functions
}

TEST_F(DamagedJob, WithATruncatedOrLongerPayloadIsRefused) {
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    const JobGraph whole = graph(job);
    for (std::size_t v = 0; v < whole.vertices.size(); ++v) {
      const std::size_t size = whole.vertices[v].payload.bytes.size();
      const std::size_t step = size / 64 + 1;
      for (std::size_t left = 0; left < size; left += step) {
        JobGraph damaged = whole;
        damaged.vertices[v].payload.bytes.resize(left);
        ++damages_;
        EXPECT_FALSE(is_prepared(damaged)) << whole.vertices[v].name << " " << left;
      }
      JobGraph damaged = whole;
      damaged.vertices[v].payload.bytes += '\0';
      EXPECT_FALSE(is_prepared(damaged)) << whole.vertices[v].name;
    }
  }
  EXPECT_GT(damages_, 20);
}

// Also with the payloads and operators of others.
TEST_F(DamagedJob, WithRandomDamageIsRefusedOrPreparedAndNeverCrashes) {
  std::mt19937_64 random(20);
  int refused = 0;
  const int rounds = scaled(4000, 200);
  for (int i = 0; i < rounds; ++i) {
    JobGraph damaged = graph(random() % jobs_.size());
    const auto vertex = [&]() -> JobVertex& {
      return damaged.vertices[random() % damaged.vertices.size()];
    };
    const auto link = [&]() -> JobLink& {
      auto& links = damaged.tasks[random() % damaged.tasks.size()].links;
      return links[random() % links.size()];
    };
    for (std::uint64_t times = 1 + random() % 3; times != 0; --times) {
      JobVertex& v = vertex();
      std::string& bytes = v.payload.bytes;
      switch (random() % 6) {
        case 0:
          if (!bytes.empty()) bytes[random() % bytes.size()] ^= static_cast<char>(random());
          break;
        case 1:
          bytes = vertex().payload.bytes;
          break;
        case 2:
          v.op.offset ^= std::uint64_t{1} << random() % 64;
          break;
        case 3:
          v.op = vertex().op;
          break;
        case 4:
          link().op = vertex().op;
          break;
        case 5:
          if (!v.payload.code.empty()) {
            v.payload.code[0].module_offset ^= std::uint64_t{1} << random() % 64;
            v.payload.code[0].offset ^= 1u << random() % 32;
          }
          break;
      }
    }
    if (!is_prepared(damaged)) ++refused;
  }
  EXPECT_GT(refused, rounds / 4);
}

TEST_F(DamagedJob, WithRandomBytesIsRefusedOrPreparedAndNeverCrashes) {
  std::mt19937_64 random(21);
  int refused = 0;
  const int rounds = scaled(4000, 200);
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = jobs_[random() % jobs_.size()];
    for (std::uint64_t times = 1 + random() % 4; times != 0; --times) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    }
    if (!is_prepared(bytes)) ++refused;
  }
  EXPECT_GT(refused, rounds / 4);
}

}  // namespace
}  // namespace freshet::testing
