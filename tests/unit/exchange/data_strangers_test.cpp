// Strangers, and peers that are let in and send nonsense, at the data sockets of workers whose job
// runs: each is refused in one line, and the job goes on.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "captured_log.h"
#include "exchange/data_messages.h"
#include "operator_jobs.h"
#include "simulation/seeded_random.h"
#include "strangers.h"
#include "workers.h"

namespace freshet::testing {
using namespace core;
namespace {

// Until it holds; only a hang guard ends it otherwise.
template <class Condition>
::testing::AssertionResult comes_true(Condition condition) {
  for (int i = 0; i < 30'000; ++i) {
    if (condition()) return ::testing::AssertionSuccess();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ::testing::AssertionFailure() << "not within 30 s";
}

// Emits a row each time that `allowed` grows, until it is negative.
class Paced final : public QuietOperator {
 public:
  explicit Paced(const std::atomic<int>& allowed) : allowed_(allowed) {}
  Progress run(std::uint32_t) override {
    const int allowed = allowed_;
    if (allowed < 0) return {Progress::Kind::kEnd};
    for (; emitted_ < allowed; ++emitted_) emit_now(std::to_string(emitted_));
    return {Progress::Kind::kWaiting, context_->stage(0).now() + 1'000'000};
  }

 private:
  const std::atomic<int>& allowed_;
  int emitted_ = 0;
};

// A job in two workers, joined by tcp; its source is in the one, its sink in the other.
class DataSockets : public ::testing::Test {
 protected:
  DataSockets() {
    OperatorJob graph("beset");
    const auto source = graph.add("source", [this] { return std::make_unique<Paced>(allowed_); },
                                  {1, {false}, true});
    graph.connect(source, graph.sink("sink", rows_), {.partitioning = Partitioning::kRebalance});
    complete_job(graph.graph(), ProcessModules::of_this_process());
    WorkersOptions options;
    options.tcp = true;
    job_ = std::make_unique<WorkersJob>(graph.graph().to_bytes(), options);
    id_ = job_->graph().id;
    for (std::uint32_t worker : {0u, 1u}) job_->admit_reader(worker, client_.public_key);
    job_->start();
    expect_that_it_goes_on();
  }
  ~DataSockets() override {
    allowed_ = -1;
    EXPECT_TRUE(job_->result().wait_for(60'000));
    EXPECT_EQ(job_->status(), JobStatus::kFinished);
  }

  void expect_that_it_goes_on() {
    const auto rows = static_cast<std::size_t>(++allowed_);
    EXPECT_TRUE(comes_true([&] { return rows_.size() == rows; }));
    EXPECT_FALSE(job_->result().ready());
  }
  // Does it to both workers. `words` are in the one line that each of them says.
  void expect_refused(const std::string& words, const std::function<void(const Address&)>& come) {
    for (std::uint32_t worker : {0u, 1u}) {
      SCOPED_TRACE(words + ", at worker " + std::to_string(worker));
      const CapturedLog log;
      come(job_->address(worker));
      EXPECT_TRUE(comes_true([&] { return !log.lines().empty(); })) << "nothing is logged";
      expect_that_it_goes_on();
      const auto lines = log.lines();
      ASSERT_EQ(lines.size(), 1u) << lines.back();
      EXPECT_NE(lines[0].find(words), std::string::npos) << lines[0];
    }
  }
  // As a client that may read rows.
  void expect_answer(const std::string& words, const std::vector<std::string>& parts) {
    std::vector<std::unique_ptr<Stranger>> clients;  // leave when the line has been looked for
    expect_refused(words, [&](const Address& address) {
      Stranger& client = *clients.emplace_back(std::make_unique<Stranger>());
      client.use_curve(client_, address.key);
      client.connect(address.endpoint);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        client.send(parts[i], i + 1 < parts.size() ? ZMQ_SNDMORE : 0);
      }
    });
  }
  std::string hello(DataHello::Role role, std::uint32_t worker = 0) const {
    DataHello hello;
    hello.role = role;
    hello.job_id = id_;
    hello.worker = worker;
    hello.vertex = "source";
    hello.credits = 4;
    return to_message(hello);
  }

  const KeyPair client_ = make_key_pair();
  std::string id_;
  std::atomic<int> allowed_{0};
  Rows rows_;
  std::unique_ptr<WorkersJob> job_;
};

TEST_F(DataSockets, RefuseWhoHasNoKeyOrAnother) {
  expect_refused("is refused", [](const Address& address) {
    Stranger stranger;
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  });
  const KeyPair unknown = make_key_pair();
  expect_refused(unknown.public_key, [&](const Address& address) {
    Stranger stranger;
    stranger.use_curve(unknown, address.key);
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  });
  expect_refused("the keys do not fit", [&](const Address& address) {
    Stranger stranger;
    stranger.use_curve(client_, make_key_pair().public_key);
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  });
}

TEST_F(DataSockets, RefuseBytesThatAreNoZeroMq) {
  expect_refused("it does not speak as ZeroMQ does", [](const Address& address) {
    SeededRandom random(1);
    std::string bytes(10'000, '\0');
    for (char& c : bytes) c = static_cast<char>(random.draw());
    PlainConnection connection(address.endpoint);
    connection.send(bytes);
    connection.end_sending();
    connection.wait_for_end();
  });
  expect_refused("before both had proved who they are", [](const Address& address) {
    PlainConnection connection(address.endpoint);
    connection.send(kCurveGreeting + std::string("\x04\xc8\x05HELLO", 8));
    connection.end_sending();
    connection.wait_for_end();
  });
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  expect_refused("is refused", [](const Address& address) {
    PlainConnection connection(address.endpoint);
    connection.send(kCurveGreeting + std::string("\x06\x7f\xff\xff\xff\xff\xff\xff\xff", 9) +
                    std::string(1'000, 'x'));
    connection.wait_for_end();
  });
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 32 * 1024);
}

TEST_F(DataSockets, RefuseAnAdmittedClientThatSendsNonsense) {
  const std::string reader = hello(DataHello::Role::reader);
  expect_answer("kind of a message", {std::string(1'000, 'x')});
  expect_answer("credits", {reader.substr(0, reader.size() - 1)});
  expect_answer("several parts", {reader, "more", "and more"});
  expect_answer("no collecting operator 'source'", {reader});
}

TEST_F(DataSockets, RefuseAClientThatSaysItIsAWorker) {
  expect_answer("hello of worker 1", {hello(DataHello::Role::worker, 1)});
}

TEST_F(DataSockets, CloseAConnectionWhoseFrameIsAboveTheLimit) {
  for (std::uint32_t worker : {0u, 1u}) {
    Stranger client;
    client.use_curve(client_, job_->address(worker).key);
    client.connect(job_->address(worker).endpoint);
    ASSERT_TRUE(client.is_let_in());
    client.send(std::string(kMostFrameBytes + 100, 'x'));
    EXPECT_FALSE(client.is_let_in());
    expect_that_it_goes_on();
  }
}

}  // namespace
}  // namespace freshet::testing
