// What is built with the SDK's streams, on an OperatorHarness: fused and chained as in a job.
//
//   StreamHarness harness;
//   const auto numbers = harness.input<int>();
//   const auto& twice = harness.output(numbers.map([](int i) { return 2 * i; }));
//   harness.open();
//   harness->push(3, 1'000);
//   EXPECT_EQ(twice.records, std::vector<int>{6});
//
// The program of the test says once FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freshet/environment.h"
#include "freshet/options.h"
#include "freshet/plugin/record_type.h"
#include "operator_harness.h"
#include "operator_jobs.h"
#include "translation/translator_registry.h"

namespace freshet::testing {
using namespace core;

// What has come out of one stream.
template <class T>
struct Emitted {
  std::vector<T> records;
  std::vector<std::int64_t> timestamps;  // of the records
  std::vector<std::int64_t> watermarks;
  bool ended = false;
};

class StreamHarness {
 public:
  StreamHarness() {
    configuration_.set(options::kParallelismDefault, 1);
    configuration_.set(options::kExecutionRuntimeMode, RuntimeMode::kStreaming);
  }

  // The harness's inputs, in the order in which streams read them.
  template <class T>
  DataStream<T> input() {
    return environment_.from_registered<T>("test.made", payload_of({})).disable_chaining();
  }
  // Lives as long as the harness.
  template <class T, class... Stages>
  const Emitted<T>& output(const DataStream<T, Stages...>& stream) {
    return note<T>(stream);
  }
  template <class T>
  const Emitted<T>& output(const ProcessedStream<T>& stream) {
    return note<T>(stream);
  }

  void open() {
    TranslatorRegistry translators(ProcessModules::of_this_process());
    harness_.emplace(translators.translate(*graph_, configuration_), configuration_);
  }
  OperatorHarness* operator->() { return &*harness_; }

 private:
  template <class T>
  class NotesInto final : public Operator {
   public:
    explicit NotesInto(Emitted<T>& seen) : seen_(seen) {}
    void process(std::uint32_t, Batch& batch) override {
      for (std::uint32_t row = 0; row < batch.size(); ++row) {
        seen_.records.push_back(batch.rows<T>()[row]);
        seen_.timestamps.push_back(batch.timestamp(row));
      }
    }
    void watermark(std::int64_t timestamp) override { seen_.watermarks.push_back(timestamp); }
    void end_of_input(std::uint32_t) override { seen_.ended = true; }
    const RecordType* input_type(std::uint32_t) const override { return &record_type<T>(); }

   private:
    Emitted<T>& seen_;
  };

  static std::string payload_of(MakeOperator make) {
    operator_makers().push_back(std::move(make));
    ByteWriter payload;
    Serde<std::uint64_t>::write(payload, operator_makers().size() - 1);
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  }
  template <class T, class Stream>
  const Emitted<T>& note(const Stream& stream) {
    const auto seen = std::make_shared<Emitted<T>>();
    outputs_.push_back(seen);
    stream.sink_to_registered("test.made", payload_of([seen = seen.get()] {
                                return std::make_unique<NotesInto<T>>(*seen);
                              }));
    graph_ = &stream.upstream_of().graph();
    return *seen;
  }

  Configuration configuration_;
  StreamExecutionEnvironment environment_ =
      StreamExecutionEnvironment::get_execution_environment(configuration_);
  StreamGraph* graph_ = nullptr;
  std::vector<std::shared_ptr<void>> outputs_;
  std::optional<OperatorHarness> harness_;
};

}  // namespace freshet::testing
