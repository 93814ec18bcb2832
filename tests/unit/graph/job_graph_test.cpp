#include "freshet/plugin/job_graph.h"

#include <gtest/gtest.h>

#include <functional>
#include <msgpack.hpp>

#include "freshet/error.h"
#include "freshet/serde/bytes.h"
#include "job_graphs.h"
#include "scale.h"

namespace freshet {
namespace {

using testing::hex;
using testing::random_job_graph;
using testing::scaled;
using testing::word_count_graph;

// What the reader says of bytes that it refuses.
std::string refusal_of(const std::string& bytes) {
  try {
    static_cast<void>(JobGraph::from_bytes(bytes));
  } catch (const DecodeError& error) {
    return error.what();
  }
  return "not refused";
}

std::string what_is_wrong(const JobGraph& job) {
  try {
    job.validate();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing";
}

// The map that to_bytes() wrote, with one field changed before it is packed again.
std::string with_field(const JobGraph& job, const std::string& name,
                       const std::function<void(msgpack::packer<msgpack::sbuffer>&)>& value) {
  const std::string bytes = job.to_bytes();
  const msgpack::object_handle handle = msgpack::unpack(bytes.data(), bytes.size());
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_map(handle->via.map.size);
  for (std::uint32_t i = 0; i < handle->via.map.size; ++i) {
    const auto key = handle->via.map.ptr[i].key.as<std::string>();
    packer.pack(key);
    if (key == name) {
      value(packer);
    } else {
      packer.pack(handle->via.map.ptr[i].val);
    }
  }
  return {buffer.data(), buffer.size()};
}

TEST(JobGraphBytes, GiveTheSameGraphBack) {
  const JobGraph job = word_count_graph();
  const JobGraph copy = JobGraph::from_bytes(job.to_bytes());

  EXPECT_EQ(copy.id, job.id);
  EXPECT_EQ(copy.name, "word count");
  EXPECT_TRUE(copy.batch);
  ASSERT_EQ(copy.modules.size(), 2u);
  EXPECT_EQ(copy.modules[1].sha256, job.modules[1].sha256);
  EXPECT_EQ(copy.modules[1].name, "libfiles.so");
  EXPECT_EQ(copy.modules[1].kind, ModuleKind::kInstalled);
  ASSERT_EQ(copy.vertices.size(), 4u);
  EXPECT_EQ(copy.vertices[0].uid, "lines");
  EXPECT_TRUE(copy.vertices[0].source);
  EXPECT_TRUE(copy.vertices[0].coordinated);
  EXPECT_EQ(copy.vertices[1].kind, "flat_map");
  EXPECT_EQ(copy.vertices[1].op.offset, 4096u * 11);
  EXPECT_EQ(copy.vertices[1].op.type_name, "Stage<flat_map>");
  EXPECT_EQ(copy.vertices[1].payload.bytes, job.vertices[1].payload.bytes);
  ASSERT_EQ(copy.vertices[1].payload.code.size(), 2u);
  EXPECT_EQ(copy.vertices[1].payload.code[0].module, 1u);
  EXPECT_EQ(copy.vertices[1].payload.code[1].module_offset, 72u);
  EXPECT_EQ(copy.vertices[1].outputs[0].schema, "{u64,string}");
  EXPECT_TRUE(copy.vertices[1].outputs[1].uses_msgpack);
  EXPECT_EQ(copy.edges[1].partitioning, Partitioning::kHash);
  EXPECT_EQ(copy.edges[1].fingerprint, 8u);
  EXPECT_FALSE(copy.edges[1].chained);
  EXPECT_TRUE(copy.edges[2].chained);
  ASSERT_EQ(copy.tasks.size(), 2u);
  EXPECT_EQ(copy.tasks[0].links[0].vertices, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(copy.tasks[0].links[0].op.offset, 8192u);
  EXPECT_EQ(copy.tasks[1].parallelism, 2u);
  EXPECT_EQ(copy.settings, job.settings);
}

TEST(JobGraphBytes, OfRandomGraphsAreWrittenAgainAsTheSameBytes) {
  std::mt19937_64 random(11);
  for (int i = scaled(2000); i > 0; --i) {
    const JobGraph job = random_job_graph(random, 12);
    const std::string bytes = job.to_bytes();
    ASSERT_EQ(JobGraph::from_bytes(bytes).to_bytes(), bytes);
  }
}

TEST(JobGraphBytes, OfAnotherFormatVersionAreRefusedWithBothNumbers) {
  const std::string bytes =
      with_field(word_count_graph(), "format", [](auto& packer) { packer.pack(2); });
  EXPECT_EQ(refusal_of(bytes),
            "the job graph has format version 2, this Freshet reads version 1: submit the job with "
            "a client of this version");
}

TEST(JobGraphBytes, MayHoldFieldsOfALaterVersion) {
  const JobGraph job = word_count_graph();
  std::string bytes = job.to_bytes();
  ASSERT_EQ(static_cast<unsigned char>(bytes[0]), 0x8a);  // a map of ten
  bytes[0] = static_cast<char>(0x8b);
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack("a later field");
  packer.pack(std::map<std::string, std::vector<double>>{{"x", {1.5, 2}}});
  EXPECT_EQ(JobGraph::from_bytes(bytes + std::string(buffer.data(), buffer.size())).to_bytes(),
            job.to_bytes());
}

TEST(JobGraphBytes, MayLackWhatAnEarlierVersionDidNotWrite) {
  const JobGraph job = word_count_graph();
  std::string bytes = job.to_bytes();
  const std::string last("\xa8warnings\x90", 10);  // an empty list
  ASSERT_TRUE(bytes.ends_with(last));
  bytes.resize(bytes.size() - last.size());
  bytes[0] = static_cast<char>(0x89);
  EXPECT_EQ(JobGraph::from_bytes(bytes).to_bytes(), job.to_bytes());
}

TEST(JobGraphBytes, ThatAreNoJobGraphAreRefusedSayingWhy) {
  const JobGraph job = word_count_graph();
  const auto text = [](auto& packer) { packer.pack("text"); };
  EXPECT_EQ(refusal_of(""), "not a job graph: it ends in the middle of a value, at byte 0");
  EXPECT_EQ(refusal_of("\xc1"), "not a job graph: byte 0 is no MessagePack");
  EXPECT_EQ(refusal_of("\x01"), "not a job graph: it is a number, expected a map");
  EXPECT_EQ(refusal_of("\x80"), "not a job graph: 'format' is missing");
  EXPECT_EQ(refusal_of(job.to_bytes() + "x"), "not a job graph: it ends at byte " +
                                                  std::to_string(job.to_bytes().size()) + " of " +
                                                  std::to_string(job.to_bytes().size() + 1));
  EXPECT_EQ(refusal_of(with_field(job, "batch", text)),
            "not a job graph: 'batch' is a text, expected a boolean");
  EXPECT_EQ(refusal_of(with_field(job, "edges", text)),
            "not a job graph: 'edges' is a text, expected a list");
  EXPECT_EQ(refusal_of(with_field(job, "edges", [](auto& p) { p.pack(std::vector<int>{7}); })),
            "not a job graph: 'edges[0]' is a number, expected a map");
  EXPECT_EQ(refusal_of(with_field(job, "modules",
                                  [](auto& packer) {
                                    packer.pack_array(1).pack_map(3);
                                    packer.pack("sha256").pack("x").pack("name").pack("y");
                                    packer.pack("kind").pack(3);
                                  })),
            "not a job graph: 'modules[0].kind' is 3, expected at most 2");
}

TEST(JobGraphBytes, NestedTooDeepAreRefused) {
  EXPECT_EQ(refusal_of(std::string(100000, '\x91')),
            "not a job graph: its parts lie more than 32 deep");
}

// If a length were believed, these would ask for some hundred gigabytes.
TEST(JobGraphBytes, WithLyingLengthsAreRefusedWithoutAllocating) {
  for (const char* header : {"\xdf", "\xdd", "\xdb", "\xc6", "\xc9"}) {  // map, array, text, bytes
    const std::string lie = std::string(header) + "\xff\xff\xff\xff";
    EXPECT_NE(refusal_of(lie).find("it ends in the middle of a value"), std::string::npos);
    const std::string inside =
        with_field(word_count_graph(), "vertices", [](auto& packer) { packer.pack_nil(); });
    const std::size_t nil = inside.find("vertices") + 8;
    EXPECT_NE(refusal_of(inside.substr(0, nil) + lie + inside.substr(nil + 1)), "not refused");
  }
}

TEST(JobGraphBytes, CutAnywhereAreRefused) {
  const std::string bytes = word_count_graph().to_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_NE(refusal_of(bytes.substr(0, size)), "not refused") << size;
  }
}

TEST(JobGraphBytes, WithRandomDamageAreRefusedOrGiveAGraphThatHoldsToTheRules) {
  std::mt19937_64 random(5);
  int read = 0;
  for (int i = scaled(200000, 2000); i > 0; --i) {
    std::string bytes =
        i % 2 ? word_count_graph().to_bytes() : random_job_graph(random, 4).to_bytes();
    for (std::uint64_t flips = 1 + random() % 3; flips != 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    try {
      const JobGraph job = JobGraph::from_bytes(bytes);
      job.validate();
      ++read;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(read, 0);  // damage in a name is no damage to the graph
}

TEST(JobGraph, OfRandomFormHoldsToTheRules) {
  std::mt19937_64 random(6);
  for (int i = scaled(500); i > 0; --i) ASSERT_NO_THROW(random_job_graph(random, 30).validate());
}

struct Rule {
  const char* name;
  void (*breaks)(JobGraph&);
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const Rule& rule) { return out << rule.name; }

class JobGraphRule : public ::testing::TestWithParam<Rule> {};

TEST_P(JobGraphRule, IsCheckedByNameAndByBothValues) {
  JobGraph job = word_count_graph();
  GetParam().breaks(job);
  EXPECT_EQ(what_is_wrong(job),
            std::string("job 'word count' can't be run: ") + GetParam().message);
  // The reader asks the same.
  EXPECT_THROW(JobGraph::from_bytes(job.to_bytes()), InvalidInput);
}

const Rule kRules[] = {
    {"JobId", [](JobGraph& j) { j.id = "X"; }, "its id 'X' is not 32 hex digits"},
    {"Empty", [](JobGraph& j) { j.vertices.clear(); }, "it has no operators"},
    {"ModuleHash", [](JobGraph& j) { j.modules[0].sha256 = "12"; },
     "the sha256 '12' of module 'word_count.so' is not 64 hex digits"},
    {"ModuleName", [](JobGraph& j) { j.modules[0].name = "../etc/passwd"; },
     "module name '../etc/passwd' is not a plain file name"},
    {"ModuleNames", [](JobGraph& j) { j.modules[1].name = j.modules[0].name; },
     "two modules are named 'word_count.so': rename one of the files"},
    {"VertexId", [](JobGraph& j) { j.vertices[2].id = "12"; },
     "the id '12' of operator 'count' (vertex 2) is not 32 hex digits"},
    {"Module", [](JobGraph& j) { j.vertices[2].op.module = 2; },
     "operator 'count' (vertex 2) is of module 2, the job has 2"},
    {"LinkModule", [](JobGraph& j) { j.tasks[0].links[0].op.module = 9; },
     "a link of task 0 is of module 9, the job has 2"},
    {"MaximumParallelism", [](JobGraph& j) { j.vertices[2].max_parallelism = 32769; },
     "the maximum parallelism 32769 of operator 'count' (vertex 2) is not in 1 to 32768"},
    {"Parallelism", [](JobGraph& j) { j.vertices[2].parallelism = 129; },
     "the parallelism 129 of operator 'count' (vertex 2) is not in 1 to its maximum parallelism "
     "128"},
    {"NoParallelism", [](JobGraph& j) { j.vertices[2].parallelism = 0; },
     "the parallelism 0 of operator 'count' (vertex 2) is not in 1 to its maximum parallelism 128"},
    {"CodeLeaves", [](JobGraph& j) { j.vertices[1].payload.code[1].offset = 12; },
     "the function at byte 12 of operator 'words' (vertex 1) overlaps another or leaves the "
     "payload "
     "of 19 bytes"},
    {"CodeOverlaps", [](JobGraph& j) { j.vertices[1].payload.code[1].offset = 10; },
     "the function at byte 10 of operator 'words' (vertex 1) overlaps another or leaves the "
     "payload "
     "of 19 bytes"},
    {"CodeOffsetWraps", [](JobGraph& j) { j.vertices[1].payload.code[1].offset = UINT32_MAX; },
     "the function at byte 4294967295 of operator 'words' (vertex 1) overlaps another or leaves "
     "the "
     "payload of 19 bytes"},
    {"CodeModule", [](JobGraph& j) { j.vertices[1].payload.code[0].module = 5; },
     "a function of operator 'words' (vertex 1) is of module 5, the job has 2"},
    {"EqualIds", [](JobGraph& j) { j.vertices[3].id = j.vertices[0].id = std::string(32, 'a'); },
     "operator 'lines' (vertex 0) and operator 'print' (vertex 3) have one id, "
     "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
    {"EdgeEnds", [](JobGraph& j) { j.edges[1].to = 4; },
     "edge 1 goes from vertex 1 to 4, the job has 4"},
    {"EdgeOutput", [](JobGraph& j) { j.edges[1].output = 2; },
     "the edge from operator 'words' (vertex 1) to operator 'count' (vertex 2) takes output 2, "
     "there are 2"},
    {"EdgeSchema", [](JobGraph& j) { j.edges[1].fingerprint = 3; },
     "the edge from operator 'words' (vertex 1) to operator 'count' (vertex 2) carries the schema "
     "3, the output has 8"},
    {"Blocking", [](JobGraph& j) { j.edges[1].exchange = ExchangeKind::kBlocking; },
     "the edge from operator 'words' (vertex 1) to operator 'count' (vertex 2) is a blocking "
     "exchange, which this version does not have: use a pipelined one"},
    {"Forward",
     [](JobGraph& j) {
       j.edges[1].partitioning = Partitioning::kForward;
       j.vertices[0].parallelism = j.vertices[1].parallelism = j.tasks[0].parallelism = 1;
     },
     "the edge from operator 'words' (vertex 1) to operator 'count' (vertex 2) is forward, with "
     "parallelism 1 and 2"},
    {"ChainedHash", [](JobGraph& j) { j.edges[2].partitioning = Partitioning::kHash; },
     "the edge from operator 'count' (vertex 2) to operator 'print' (vertex 3) is chained, with "
     "partitioning hash"},
    {"InputNumber", [](JobGraph& j) { j.edges[1].input = UINT32_MAX; },
     "the edge from operator 'words' (vertex 1) to operator 'count' (vertex 2) leads to input "
     "4294967295, there are 1"},
    {"SourceWithInput", [](JobGraph& j) { j.vertices[2].source = true; },
     "operator 'count' (vertex 2) is a source and has an input"},
    {"NoInput", [](JobGraph& j) { j.vertices[0].source = false; },
     "operator 'lines' (vertex 0) is no source and has no input"},
    {"ChainedToTwoInputs",
     [](JobGraph& j) {
       j.edges.push_back({1, 0, 3, 1, Partitioning::kHash, {}, 8, false});
     },
     "the edge from operator 'count' (vertex 2) to operator 'print' (vertex 3) is chained, to an "
     "operator with 2 inputs"},
    {"Cycle",
     [](JobGraph& j) {
       j.vertices[3].outputs = {{"x", 1, false}};
       j.edges.push_back({3, 0, 2, 1, Partitioning::kHash, {}, 1, false});
     },
     "operator 'count' (vertex 2) lies on a cycle, or behind one"},
    {"EmptyTask", [](JobGraph& j) { j.tasks.push_back({}); }, "task 2 is empty"},
    {"EmptyLink", [](JobGraph& j) { j.tasks[1].links.push_back({}); }, "a link of task 1 is empty"},
    {"TaskVertex", [](JobGraph& j) { j.tasks[1].links[1].vertices = {77}; },
     "task 1 has vertex 77, the job has 4"},
    {"TwoTasks", [](JobGraph& j) { j.tasks[1].links[1].vertices = {1}; },
     "operator 'words' (vertex 1) is in two tasks, or twice in one"},
    {"NoTask", [](JobGraph& j) { j.tasks[1].links.pop_back(); },
     "operator 'print' (vertex 3) is in no task"},
    {"TaskParallelism", [](JobGraph& j) { j.tasks[1].parallelism = 1; },
     "task 1 has parallelism 1, its operator 'count' (vertex 2) has 2"},
    {"LinkOrder", [](JobGraph& j) { std::swap(j.tasks[1].links[0], j.tasks[1].links[1]); },
     "operator 'count' (vertex 2) is not chained to the end of a link before it in task 1"},
    {"FusedInWrongOrder",
     [](JobGraph& j) {
       j.tasks[0].links[0].vertices = {1, 0};
     },
     "operator 'words' (vertex 1) and operator 'lines' (vertex 0) run as one operator, but one "
     "does "
     "not simply follow the other"},
    {"FusedAcrossSideOutput",
     [](JobGraph& j) {
       j.tasks[1].links = {{{2, 3}, {}}};
       j.vertices[2].outputs.push_back({"x", 1, false});
       j.edges[2].output = 1;
       j.edges[2].fingerprint = 1;
     },
     "operator 'count' (vertex 2) and operator 'print' (vertex 3) run as one operator, but one "
     "does "
     "not simply follow the other"},
    {"ChainedBetweenTasks",
     [](JobGraph& j) {
       j.tasks.push_back({{j.tasks[1].links[1]}, 2});
       j.tasks[1].links.pop_back();
     },
     "the edge from operator 'count' (vertex 2) to operator 'print' (vertex 3) is chained, between "
     "two tasks"},
};

INSTANTIATE_TEST_SUITE_P(All, JobGraphRule, ::testing::ValuesIn(kRules),
                         [](const auto& rule) { return std::string(rule.param.name); });

TEST(JobGraph, NamesItsPartitionings) {
  EXPECT_STREQ(name_of(Partitioning::kForward), "forward");
  EXPECT_STREQ(name_of(Partitioning::kGlobal), "global");
}

}  // namespace
}  // namespace freshet
