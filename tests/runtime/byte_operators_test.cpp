// Operators with the SDK's bases for byte records, in whole jobs.
#include "freshet/plugin/byte_operators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "freshet/plugin/module.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

using Texts = std::vector<std::string>;
using Keys = ByteOutput::Keys;

class Twice final : public ByteOperator {
  void row(const ByteRows& rows, std::uint32_t i) override {
    const std::string text(rows.record(i));
    for (const char* again : {"", "'"}) {
      emit(std::to_string(input()) + ":" + text + again, rows.timestamp(i));
    }
  }
  void ended(std::uint32_t input) override { emit("end of " + std::to_string(input)); }
};

class Numbers final : public ByteSource {
 public:
  explicit Numbers(int count, Keys keys = Keys::kNone) : ByteSource(keys), left_(count) {}

 private:
  Progress read(std::uint32_t records) override {
    for (; records > 0; --records) {
      if (left_ == 0) return {Progress::Kind::kEnd};
      emit(std::to_string(left_--));
    }
    return {Progress::Kind::kMore};
  }
  int left_;
};

// By key, and so by a hash edge; tells each key once.
class KeyedByLength final : public ByteOperator {
 public:
  KeyedByLength() : ByteOperator(Keys::kKeyed) {}

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    emit_keyed(std::to_string(rows.record(i).size()), rows.record(i), rows.timestamp(i));
  }
};
class Sum final : public ByteOperator {
 public:
  void open(OperatorContext& context) override {
    ByteOperator::open(context);
    counts_ = &context.services().keyed_state("counts");
  }

 private:
  void row(const ByteRows& rows, std::uint32_t i) override { counts_->at(rows.key(i)) += "x"; }
  void ended(std::uint32_t) override {
    counts_->for_each([&](std::string_view key, std::string& marks) {
      emit(std::string(key) + "=" + std::to_string(marks.size()));
    });
  }
  KeyedState* counts_ = nullptr;
};

// Both ways of an edge: a call, and a channel.
class ByteOperators : public ::testing::TestWithParam<bool> {
 protected:
  Way way() const { return {.chained = GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(AtEdges, ByteOperators, ::testing::Bool(), [](const auto& info) {
  return info.param ? "ThatAreCalls" : "ThatAreChannels";
});

TEST_P(ByteOperators, SendTheirRowsOnBeforeTheWatermarkThatFollows) {
  OperatorJob job("rows");
  Rows rows;
  const auto source = job.source("source", {{"a", 1}, mark(5), {"b", 7}, mark(9)});
  const auto op = job.add("op", [] { return std::make_unique<Twice>(); }, {1, {false}});
  job.connect(source, op, way());
  job.connect(op, job.sink("sink", rows, true), way());
  EXPECT_TRUE(job.run().succeeded());
  Texts all = rows.all();
  // An edge may hold a watermark back, and never tells one too early.
  const auto place = [&](const std::string& row) {
    return std::find(all.begin(), all.end(), row) - all.begin();
  };
  if (place("mark 5") != std::ssize(all)) {
    EXPECT_GT(place("mark 5"), place("0:a'"));
    EXPECT_LT(place("mark 5"), place("0:b"));
  }
  std::erase_if(all, [](const std::string& row) { return row.rfind("mark", 0) == 0; });
  EXPECT_EQ(all, (Texts{"0:a", "0:a'", "0:b", "0:b'", "end of 0", "end"}));
}

TEST_P(ByteOperators, CountWhatComesInAndGoesOut) {
  OperatorJob job("counts");
  Rows rows;
  static constexpr int kCount = 5'000;
  const auto source =
      job.add("source", [] { return std::make_unique<Numbers>(kCount); }, {1, {false}, true});
  const auto op = job.add("op", [] { return std::make_unique<Twice>(); }, {1, {false}});
  job.connect(source, op, way());
  job.connect(op, job.sink("sink", rows), way());
  const auto client = job.start();
  ASSERT_TRUE(client->result().get().succeeded());
  EXPECT_EQ(rows.size(), 2u * kCount + 1);
  const JobDetails details = client->details().get();
  EXPECT_EQ(details.source_records, std::uint64_t{kCount});
  for (const VertexDetails& vertex : details.vertices) {
    if (vertex.name == "source") {
      EXPECT_EQ(vertex.records_out, std::uint64_t{kCount});
    }
    if (vertex.name != "op") continue;
    EXPECT_EQ(vertex.records_in, std::uint64_t{kCount});
    EXPECT_EQ(vertex.records_out, 2u * kCount + 1);
  }
}

TEST(KeyedByteOperators, MeetTheStateOfTheirKeys) {
  OperatorJob job("keyed");
  Rows rows;
  const auto source =
      job.add("source", [] { return std::make_unique<Numbers>(1'234); }, {1, {false}, true});
  const auto keyed =
      job.add("keyed", [] { return std::make_unique<KeyedByLength>(); }, {1, {true}});
  const auto sum = job.add("sum", [] { return std::make_unique<Sum>(); }, {3, {false}});
  job.connect(source, keyed);
  job.connect(keyed, sum, {.partitioning = Partitioning::kHash});
  job.connect(sum, job.sink("sink", rows), {.partitioning = Partitioning::kGlobal});
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows.sorted(), (Texts{"1=9", "2=90", "3=900", "4=235"}));
}

// What its job says of it.
std::string failure_of(MakeOperator make, Shape shape, bool as_source = false) {
  OperatorJob job("wrong");
  Rows rows;
  shape.source = as_source;
  const auto op = job.add("op", std::move(make), shape);
  if (!as_source) job.connect(job.source("source", {{"x"}}), op);
  if (!shape.keyed_outputs.empty()) job.connect(op, job.sink("sink", rows));
  const JobResult result = job.run();
  if (!result.failure) return "no failure";
  return result.failure->operator_name + ": " + result.failure->message;
}

TEST(WrongByteOperators, AreToldWhatToDo) {
  const auto contains = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  contains(failure_of([] { return std::make_unique<Twice>(); }, {}),
           "op: it emits records, but its vertex has no output: give the vertex an output");
  contains(failure_of([] { return std::make_unique<KeyedByLength>(); }, {1, {}}),
           "but its vertex has no output");
  contains(failure_of([] { return std::make_unique<Numbers>(1); }, {}, true),
           "op: it is a source, but its vertex has no output");
  contains(failure_of([] { return std::make_unique<Numbers>(1, Keys::kKeyed); }, {1, {true}}, true),
           "op: it emits a record without a key, but was made for keyed ones: call emit_keyed()");
  contains(failure_of([] { return std::make_unique<KeyedByLength>(); }, {1, {false}}),
           "op: it writes records of schema " + keyed_byte_record_schema().text +
               " to an output that the job graph has as " + byte_record_schema().text +
               ": let the job say what is written");
}

}  // namespace
}  // namespace freshet::testing
