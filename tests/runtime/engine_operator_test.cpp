// An operator that carries another engine, as a portable runner of a third party would write it: it
// uses every service at once. It is checked against a plain loop, and under failure and cancel.
//
//   words ──keyed──> ┐            ┌─ output 0: a count per word and window of 10 ms, when event
//   rates ─────────> │  engine    │            time has passed the window
//   words ──keyed──> ┘            └─ output 1: words that have no rate
//
// Rows of the first input wait at the gate until the second, the rates, has been read and a timer
// of processing time has fired; until then the watermark is held. The third is the first once more,
// and counted only. They go in bundles to the "harness": one process-wide thread, shared by
// counting, which answers through the mailbox. Its answers update keyed state, set a timer with a
// hold per word and window, and close the bundle. Timers emit the counts.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "freshet/metrics.h"
#include "freshet/plugin/module.h"
#include "freshet/shared_resource.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

using Texts = std::vector<std::string>;
constexpr std::int64_t kWindow = 10;

// A thread that works off requests; each says what to do with its answer.
class Harness {
 public:
  static std::atomic<int>& alive() {
    static std::atomic<int> count{0};
    return count;
  }
  Harness() : thread_([this] { serve(); }) { ++alive(); }
  ~Harness() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
    --alive();
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  void ask(std::function<void()> request) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    changed_.notify_all();
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ending_ || !requests_.empty(); });
      if (requests_.empty()) return;
      const auto request = std::move(requests_.front());
      requests_.pop_front();
      lock.unlock();
      request();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> requests_;
  bool ending_ = false;
  std::thread thread_;
};

struct Element {
  std::string word;
  std::int64_t timestamp;
};

// Where the harness fails, if it does.
struct Faults {
  std::string failing_word;
  std::atomic<bool>* stuck = nullptr;  // set once an answer is kept back for ever
};

class Engine final : public Operator {
 public:
  explicit Engine(const Faults& faults) : faults_(faults) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    services_ = &context.services();
    counts_out_ = ByteOutput(context.output(0), ByteOutput::Keys::kNone);
    strays_out_ = ByteOutput(context.output(1), ByteOutput::Keys::kNone);
    struct Held {
      std::unique_ptr<Harness> harness = std::make_unique<Harness>();
    };
    const auto held = shared_resource<Held>("test.harness", "Held/1", [] { return Held(); });
    harness_ = std::shared_ptr<Harness>(held, held->harness.get());
    services_->gate_input(0);
    services_->hold_watermark("rates", -1'000'000);
    services_->set_timer(TimeDomain::kProcessing, services_->processing_time(), "clock", "", "");
    services_->tell("is open");
  }

  void process(std::uint32_t input, Batch& batch) override {
    const ByteRows rows(batch);
    if (input == 1) {
      for (std::uint32_t i = 0; i < rows.size(); ++i) {
        const std::string row(rows.record(i));
        rates_[row.substr(0, row.find('='))] = std::stoi(row.substr(row.find('=') + 1));
      }
      return;
    }
    if (input == 2) return context_->stage(0).counter("again").add(rows.size());
    std::vector<Element> bundle;
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      bundle.push_back({std::string(rows.record(i)), rows.timestamp(i)});
    }
    send(std::move(bundle));
  }

  void watermark(std::int64_t timestamp) override {
    EXPECT_EQ(bundles_, 0) << "held while a bundle is open";
    EXPECT_GE(timestamp, watermark_);
    EXPECT_TRUE(begun_ || timestamp < -1'000'000) << "held until the rates are there";
    watermark_ = timestamp;
    context_->output(0).watermark(timestamp);
    context_->output(1).watermark(timestamp);
  }

  void timer(const Timer& timer) override {
    if (timer.family == "clock") return begin_after(ticked_);
    EXPECT_EQ(bundles_, 0);
    EXPECT_EQ(timer.family, "windows");
    EXPECT_NE(timer.tag, "deleted");
    KeyedState& counts = services_->keyed_state("counts");
    const std::string key(timer.key);
    std::map<std::int64_t, int> windows = parse(counts.at(key));
    const std::int64_t window = std::stoll(std::string(timer.tag));
    EXPECT_EQ(timer.timestamp, window + kWindow - 1);
    // Nothing of this window was late: the hold is there until now.
    counts_out_.emit(key + "@" + std::to_string(window) + "=" + std::to_string(windows[window]),
                     timer.timestamp);
    counts_out_.flush();
    windows.erase(window);
    windows.empty() ? static_cast<void>(counts.erase(key))
                    : static_cast<void>(counts.at(key) = text_of(windows));
  }

  void input_ran_dry() override { context_->stage(0).counter("ran dry").add(); }

  void end_of_input(std::uint32_t input) override {
    EXPECT_EQ(bundles_, 0);
    if (input == 1) begin_after(rates_read_);
    if (++ended_inputs_ == 3) {
      EXPECT_EQ(services_->keyed_state("counts").size(), 0u);
    }
  }

  void close() override { harness_.reset(); }

 private:
  void begin_after(bool& what) {
    what = true;
    if (!ticked_ || !rates_read_) return;
    begun_ = true;
    services_->ungate_input(0);
    services_->release_watermark("rates");
  }

  static std::map<std::int64_t, int> parse(const std::string& text) {
    std::map<std::int64_t, int> windows;
    std::istringstream words(text);
    std::int64_t window;
    for (int count; words >> window >> count;) windows[window] = count;
    return windows;
  }
  static std::string text_of(const std::map<std::int64_t, int>& windows) {
    std::string text;
    for (const auto& [window, count] : windows) {
      text += std::to_string(window) + " " + std::to_string(count) + " ";
    }
    return text;
  }

  // Not more than three bundles are under way: what is too many waits in this operator and asks
  // for its turn again.
  void send(std::vector<Element> bundle) {
    if (bundles_ == 0) services_->open_bundle();
    ++bundles_;
    try_send(std::move(bundle));
  }
  void try_send(std::vector<Element> bundle) {
    if (under_way_ == 3) {
      services_->call_later(
          0, [this, bundle = std::move(bundle)]() mutable { try_send(std::move(bundle)); });
      return;
    }
    ++under_way_;
    context_->stage(0).gauge("under way").set(under_way_);
    harness_->ask([this, bundle = std::move(bundle), box = services_->mailbox(), faults = faults_,
                   sizes = context_->stage(0).distribution("bundle")]() mutable {
      sizes.add(static_cast<std::int64_t>(bundle.size()));
      for (const Element& element : bundle) {
        if (element.word == faults.failing_word) {
          if (faults.stuck) {
            *faults.stuck = true;
            return;
          }
          return box.fail("the harness can't do '" + element.word + "'");
        }
      }
      try {
        EXPECT_LE(box.call([this] { return under_way_; }).get(), 3);
        box.post([this, bundle = std::move(bundle)] { answer(bundle); }).get();
      } catch (const OperatorEnded&) {
      }
    });
  }

  void answer(const std::vector<Element>& bundle) {
    for (const Element& element : bundle) {
      const auto rate = rates_.find(element.word);
      if (rate == rates_.end()) {
        strays_out_.emit(element.word, element.timestamp);
        continue;
      }
      const std::int64_t window = element.timestamp / kWindow * kWindow;
      std::string& counts = services_->keyed_state("counts").at(element.word);
      std::map<std::int64_t, int> windows = parse(counts);
      windows[window] += rate->second;
      counts = text_of(windows);
      services_->set_timer(TimeDomain::kEvent, window + kWindow - 1, "windows",
                           std::to_string(window), element.word,
                           /*hold=*/window + kWindow - 1);
      services_->set_timer(TimeDomain::kEvent, window, "windows", "deleted", element.word);
      EXPECT_TRUE(services_->delete_timer("windows", "deleted", element.word));
      EXPECT_FALSE(services_->delete_timer("windows", "deleted", element.word));
    }
    strays_out_.flush();
    --under_way_;
    if (--bundles_ == 0) services_->close_bundle();
  }

  const Faults faults_;
  OperatorContext* context_ = nullptr;
  OperatorServices* services_ = nullptr;
  ByteOutput counts_out_, strays_out_;
  std::shared_ptr<Harness> harness_;
  std::map<std::string, int> rates_;
  std::int64_t watermark_ = kNoTimestamp;
  int bundles_ = 0;
  int under_way_ = 0;
  int ended_inputs_ = 0;
  bool ticked_ = false, rates_read_ = false, begun_ = false;
};

// Refuses what is late: the engine's holds must have kept the watermark back.
class LateSink final : public QuietOperator {
 public:
  explicit LateSink(Rows& rows) : rows_(rows) {}
  void open(OperatorContext& context) override { context_ = &context; }
  void row(const ByteRows& rows, std::uint32_t i) override {
    EXPECT_GT(rows.timestamp(i), watermark_) << rows.record(i) << " is late";
    rows_.add(std::string(rows.record(i)));
  }
  void watermark(std::int64_t timestamp) override { watermark_ = timestamp; }

 private:
  Rows& rows_;
  std::int64_t watermark_ = kNoTimestamp;
};

class EngineJob {
 public:
  EngineJob(std::uint64_t seed, std::uint32_t parallelism, Faults faults = {}) : job_("engine") {
    std::mt19937_64 random(seed);
    std::vector<Scripted> words, rates;
    for (const char* word : {"ash", "elm", "fir", "oak", "yew"}) {
      rate_[word] = static_cast<int>(random() % 9 + 1);
      rates.push_back({std::string(word) + "=" + std::to_string(rate_[word])});
    }
    const char* all[] = {"ash", "elm", "fir", "oak", "yew", "moss", "fern"};
    std::int64_t time = 0;
    for (int i = 0; i < 2'000; ++i) {
      if (random() % 20 == 0) {
        time += static_cast<std::int64_t>(random() % 12);
        words.push_back(mark(time - 1));  // what follows is not before `time`
      }
      const std::string word = all[random() % 7];
      const std::int64_t timestamp = time + static_cast<std::int64_t>(random() % 25);
      words.push_back({word, timestamp, word});
      if (rate_.count(word)) {
        counts_[word + "@" + std::to_string(timestamp / kWindow * kWindow)] += rate_[word];
      } else {
        strays.push_back(word);
      }
    }
    const auto words_source = job_.source("words", std::move(words), true);
    const auto rates_source = job_.source("rates", std::move(rates));
    const auto engine = job_.add("engine", [faults] { return std::make_unique<Engine>(faults); },
                                 {parallelism, {false, false}});
    job_.connect(words_source, engine, {.input = 0, .partitioning = Partitioning::kHash});
    job_.connect(rates_source, engine, {.input = 1, .partitioning = Partitioning::kBroadcast});
    job_.connect(words_source, engine, {.input = 2, .partitioning = Partitioning::kHash});
    job_.connect(engine,
                 job_.add("counts", [this] { return std::make_unique<LateSink>(count_rows); }, {}),
                 {.output = 0, .partitioning = Partitioning::kGlobal});
    job_.connect(engine,
                 job_.add("strays", [this] { return std::make_unique<LateSink>(stray_rows); }, {}),
                 {.output = 1, .partitioning = Partitioning::kGlobal});
    std::sort(strays.begin(), strays.end());
  }

  OperatorJob& job() { return job_; }
  Texts expected_counts() const {
    Texts texts;
    for (const auto& [window, count] : counts_)
      texts.push_back(window + "=" + std::to_string(count));
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  Rows count_rows, stray_rows;
  Texts strays;

 private:
  OperatorJob job_;
  std::map<std::string, int> rate_;
  std::map<std::string, int> counts_;
};

std::uint32_t times_told(JobClient& client, const std::string& text) {
  std::uint32_t times = 0;
  std::uint64_t last = 0;
  while (const auto message = client.next_message(last).get()) {
    times += message->text == text;
    last = message->number;
  }
  return times;
}

TEST(EngineOperator, CountsAsAPlainLoopDoes) {
  std::int64_t ran_dry = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    for (const std::uint32_t parallelism : {1u, 3u}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", parallelism " + std::to_string(parallelism));
      EngineJob engine(seed, parallelism);
      const auto client = engine.job().start();
      ASSERT_TRUE(client->result().wait_for(60'000));
      const JobResult result = client->result().get();
      ASSERT_TRUE(result.succeeded()) << (result.failure ? result.failure->message : "");
      ASSERT_EQ(engine.count_rows.sorted(), engine.expected_counts());
      ASSERT_EQ(engine.stray_rows.sorted(), engine.strays);
      EXPECT_EQ(Harness::alive(), 0) << "the last has let it go";
      MetricValues metrics = client->details().get().vertices.at(2).metrics;
      EXPECT_EQ(metrics["bundle"].value, 2'000);
      EXPECT_EQ(metrics["again"].value, 2'000);
      ran_dry += metrics["ran dry"].value;
      EXPECT_EQ(metrics["under way"].kind, MetricKind::kGauge);
    }
  }
  EXPECT_GT(ran_dry, 0) << "in none of the jobs";
}

TEST(EngineOperator, TellsThoseWhoFollowTheJob) {
  EngineJob engine(1, 3);
  const auto client = engine.job().start();
  ASSERT_TRUE(client->result().wait_for(60'000));
  EXPECT_EQ(times_told(*client, "is open"), 3u);
}

TEST(EngineOperator, FailsTheJobFromItsHarness) {
  EngineJob engine(3, 3, {.failing_word = "oak"});
  const JobResult result = engine.job().run();
  ASSERT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.failure->operator_name, "engine");
  EXPECT_EQ(result.failure->message, "the harness can't do 'oak'");
  EXPECT_EQ(Harness::alive(), 0);
}

TEST(EngineOperator, IsCanceledWhileItWaitsForItsHarness) {
  std::atomic<bool> stuck{false};
  EngineJob engine(4, 2, {.failing_word = "fir", .stuck = &stuck});
  const auto client = engine.job().start();
  while (!stuck) std::this_thread::yield();
  EXPECT_FALSE(client->result().ready()) << "a bundle is open";
  client->cancel().get();
  ASSERT_TRUE(client->result().wait_for(60'000));
  EXPECT_EQ(client->result().get().status, JobStatus::kCanceled);
  EXPECT_EQ(Harness::alive(), 0);
}

}  // namespace
}  // namespace freshet::testing
