// The data socket and the tasks behind it, met by peers that the test plays by hand.
#include "exchange/data_plane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "freshet/await.h"
#include "operator_jobs.h"
#include "scratch_folder.h"
#include "worker/worker_tasks.h"

namespace freshet::testing {
using namespace core;
namespace {

constexpr char kJob[] = "0123456789abcdef0123456789abcdef";

// The other end of a connection: plain ZeroMQ.
class Peer {
 public:
  explicit Peer(const std::string& endpoint, int linger_ms = 0)
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_DEALER)) {
    const int patience = 20'000;
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_connect(socket_, endpoint.c_str());
  }
  ~Peer() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  void send(const std::string& bytes, int flags = 0) {
    EXPECT_EQ(zmq_send(socket_, bytes.data(), bytes.size(), flags), static_cast<int>(bytes.size()));
  }
  std::string receive() {
    NetworkMessage message;
    zmq_msg_t& raw = message;
    if (zmq_msg_recv(&raw, socket_, 0) < 0) return "nothing came";
    return {message.data(), message.size()};
  }
  std::string refusal_of(const std::string& bytes) {
    send(bytes);
    const std::string answer = receive();
    return kind_of(answer) == DataKind::refused ? std::string(read_refusal(answer)) : answer;
  }

 private:
  void* const context_;
  void* const socket_;
};

DataHello hello_of(std::uint32_t worker, const std::string& job = kJob) {
  DataHello hello;
  hello.job_id = job;
  hello.worker = worker;
  return hello;
}

// Notes what it is told.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
    added_.notify_all();
  }
  // The first with these words in it.
  std::string wait_for(const std::string& words) {
    std::unique_lock lock(mutex_);
    std::string found;
    added_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const std::string& note : notes_) {
        if (note.find(words) != std::string::npos) found = note;
      }
      return !found.empty();
    });
    return found;
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable added_;
  std::vector<std::string> notes_;
};

class NotingHandler final : public DataHandler {
 public:
  void message_of_worker(std::uint32_t worker, DataKind kind,
                         std::unique_ptr<NetworkMessage>) override {
    notes.add("message " + std::to_string(static_cast<int>(kind)) + " of " +
              std::to_string(worker));
  }
  void worker_lost(std::uint32_t worker, const std::string& reason) override {
    notes.add("lost " + std::to_string(worker) + ": " + reason);
  }
  void reader_joined(ReaderId, const DataHello& hello) override {
    notes.add("reader of " + hello.vertex);
  }
  void message_of_reader(ReaderId, DataKind, std::string_view) override {}
  void reader_left(ReaderId) override { notes.add("reader left"); }
  Notes notes;
};

// Worker 0 of three.
struct Listening {
  Listening() : address(plane.listen(true, folder.path(), "")) {
    plane.join({kJob, 0, {address, {"ipc:///nowhere/1", {}}, {"ipc:///nowhere/2", {}}}}, handler);
  }
  ~Listening() { plane.leave(); }
  ScratchFolder folder;
  NetworkThread network;
  NotingHandler handler;
  DataPlane plane{SystemClock::instance(), network, KeyPair{}, nullptr};
  const Address address;
};

TEST(Pieces, OfAMessageAreTheMessageAgain) {
  std::mt19937 random(7);
  for (const std::size_t size :
       {std::size_t{1}, kPieceBytes, kPieceBytes + 1, kPieceBytes * 5 / 2}) {
    std::string message(size, ' ');
    for (std::size_t at = 0; at < size; at += 1'000) message[at] = static_cast<char>(random());
    Pieces pieces;
    std::unique_ptr<NetworkMessage> whole;
    for (std::size_t at = 0; at < size; at += kPieceBytes) {
      ASSERT_FALSE(whole) << "too early";
      whole = pieces.add(piece_of(message, at));
    }
    ASSERT_TRUE(whole) << size;
    EXPECT_TRUE(std::string_view(whole->data(), whole->size()) == message) << size;
    EXPECT_FALSE(pieces.add(piece_of(std::string(kPieceBytes * 2, 'x'), 0))) << "the next one";
  }
}

TEST(Pieces, ThatDoNotFitAreRefused) {
  const std::string message(kPieceBytes + 100, 'x');
  const auto refused = [&](const std::string& first, const std::string& second) {
    Pieces pieces;
    EXPECT_FALSE(pieces.add(first));
    try {
      static_cast<void>(pieces.add(second));
    } catch (const DecodeError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string first = piece_of(message, 0);
  EXPECT_NE(refused(first, first).find("does not follow"), std::string::npos) << "too many bytes";
  EXPECT_NE(refused(first, piece_of(message + "x", kPieceBytes)).find("does not follow"),
            std::string::npos)
      << "of another message";
  EXPECT_NE(refused(first, piece_of(message, message.size())).find("does not follow"),
            std::string::npos)
      << "nothing";
  Pieces pieces;
  EXPECT_THROW(static_cast<void>(pieces.add(first.substr(0, 9))), DecodeError);
  std::string huge = first;
  huge.replace(4, 8, std::string(8, '\x7f'));
  EXPECT_THROW(static_cast<void>(pieces.add(huge)), DecodeError);
}

TEST(DataPlane, RefusesWhatIsNoHelloAndGoesOnServing) {
  Listening worker;
  const std::string good = to_message(hello_of(1));
  std::string other_version = good;
  other_version[8] = 2;
  const std::pair<std::string, std::string> wrong[] = {
      {"", "kind of a message"},
      {"abc", "kind of a message"},
      {std::string(100, '\x7f'), "kind of a message"},
      {good.substr(0, 6), "hello"},
      {good.substr(0, good.size() - 1), "credits"},
      {good + "x", "end of a hello"},
      {other_version, "version 2 of the data protocol, this process version 1"},
      {to_message(hello_of(1, "another")), "a hello for job 'another'"},
      {to_message(hello_of(0)), "a hello of worker 0, which is none of those"},
      {to_message(hello_of(3)), "a hello of worker 3, which is none of those"},
      {to_message(SplitWanted{}), "kind of a message"},
  };
  for (const auto& [bytes, reason] : wrong) {
    const std::string answer = Peer(worker.address.endpoint).refusal_of(bytes);
    EXPECT_NE(answer.find(reason), std::string::npos) << reason << " is not in " << answer;
  }
  {
    Peer parts(worker.address.endpoint);
    parts.send(good, ZMQ_SNDMORE);
    EXPECT_NE(parts.refusal_of("more").find("several parts"), std::string::npos);
  }
  EXPECT_TRUE(worker.handler.notes.all().empty());
  Peer peer(worker.address.endpoint);
  peer.send(good);
  peer.send(to_message(std::vector<Credits>{{1, 2}}));
  EXPECT_EQ(worker.handler.notes.wait_for("message 4 of 1"), "message 4 of 1");
  EXPECT_NE(Peer(worker.address.endpoint).refusal_of(good).find("a second hello of worker 1"),
            std::string::npos);
}

TEST(DataPlane, TellsOfAWorkerThatGoesOrSendsNonsense) {
  Listening worker;
  {
    Peer one(worker.address.endpoint);
    one.send(to_message(hello_of(1)));
    one.send(to_message(std::vector<Credits>{}));
    worker.handler.notes.wait_for("message 4 of 1");
  }
  EXPECT_EQ(worker.handler.notes.wait_for("lost 1"), "lost 1: its connection is closed");
  Peer two(worker.address.endpoint);
  two.send(to_message(hello_of(2)));
  EXPECT_NE(two.refusal_of(rows_done()).find("which no worker sends"), std::string::npos);
  EXPECT_NE(worker.handler.notes.wait_for("lost 2").find("it sends what no worker"),
            std::string::npos);
}

std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(DataPlane, TellsOfAWorkerThatHasGoneBeforeItsHelloIsRead) {
  Listening worker;
  std::promise<void> go_on;
  worker.network.post([let_go = go_on.get_future().share()] { let_go.wait(); });
  const std::size_t before = descriptors();
  {
    Peer one(worker.address.endpoint, /*linger_ms=*/20'000);
    one.send(to_message(hello_of(1)));
  }
  // Its connection has been accepted, read and closed.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (descriptors() > before && std::chrono::steady_clock::now() < patience) {
    std::this_thread::yield();
  }
  go_on.set_value();
  EXPECT_EQ(worker.handler.notes.wait_for("lost 1"), "lost 1: its connection is closed");
}

TEST(DataPlane, KeepsWhatComesBeforeItKnowsItsJob) {
  ScratchFolder folder;
  NetworkThread network;
  NotingHandler handler;
  DataPlane plane(SystemClock::instance(), network, KeyPair{}, nullptr);
  const Address address = plane.listen(true, folder.path(), "");
  Peer peer(address.endpoint);
  peer.send(to_message(hello_of(1)));
  peer.send(to_message(std::vector<Credits>{}));
  plane.join({kJob, 0, {address, {"ipc:///nowhere", {}}}}, handler);
  EXPECT_EQ(handler.notes.wait_for("message 4 of 1"), "message 4 of 1");
  plane.leave();
}

TEST(DataPlane, AWorkerThatCanNotBeReachedIsLost) {
  ScratchFolder folder;
  NetworkThread network;
  NotingHandler handler;
  DataPlane plane(SystemClock::instance(), network, KeyPair{}, nullptr);
  const Address address = plane.listen(true, folder.path(), "");
  plane.join({kJob, 1, {{"ipc://" + folder.path() + "/nobody", {}}, address}}, handler);
  EXPECT_EQ(handler.notes.wait_for("lost 0"), "lost 0: it can't be reached");
  plane.leave();
}

TEST(DataPlane, ListensOnTcpWithKeysAlone) {
  NetworkThread network;
  DataPlane plane(SystemClock::instance(), network, KeyPair{}, nullptr);
  EXPECT_THROW(static_cast<void>(plane.listen(false, "", "127.0.0.1")), InvalidInput);
}

// ---- tasks that read what the test writes ----------------------------------------------------

FRESHET_OPERATOR("test.made", MadeOperator);

// Worker 0, whose sink reads from a source in worker 1, which is the test.
class Reading : TaskRunnerListener {
 public:
  Reading() {
    const auto source = one.source("source", {});
    one.connect(source, one.sink("sink", rows), {.partitioning = Partitioning::kRebalance});
    deploy(one, {source});
  }
  // `of_worker_1`: the first operators of the tasks that are the test's.
  Reading(OperatorJob& job, const std::vector<std::uint32_t>& of_worker_1) {
    deploy(job, of_worker_1);
  }
  void deploy(OperatorJob& job, const std::vector<std::uint32_t>& of_worker_1) {
    job.graph().id = kJob;
    complete_job(job.graph(), ProcessModules::of_this_process());
    Deployment deployment;
    deployment.job_graph = job.graph().to_bytes();
    const Address address = tasks.listen(true, folder.path(), "");
    deployment.workers = {address, {"ipc:///nowhere", {}}};
    const ExecutionGraph execution(job.graph());
    for (const auto& id : execution.subtasks()) {
      const auto head = job.graph().tasks[id.task].links.front().vertices.front();
      const bool away =
          std::find(of_worker_1.begin(), of_worker_1.end(), head) != of_worker_1.end();
      deployment.worker_of_subtask.push_back(away ? 1 : 0);
    }
    peer = std::make_unique<Peer>(address.endpoint);
    peer->send(to_message(hello_of(1)));
    tasks.deploy(deployment, *this);
    notes.wait_for("opened");
    tasks.open_gate();
    granted = read_credits(peer->receive());
  }
  ~Reading() override { tasks.cancel(); }

  void tasks_opened() override { notes.add("opened"); }
  void tasks_finished(FinishedTasks) override { notes.add("finished"); }
  void tasks_failed(FailureInfo failure) override {
    notes.add("failed " + failure.operator_name + ": " + failure.message);
    tasks.cancel();
  }
  void told(std::uint32_t, std::uint32_t, std::string) override {}
  void tasks_ended(TaskReport) override { notes.add("ended"); }

  ScratchFolder folder;
  NetworkThread network;
  Rows rows;
  Notes notes;
  OperatorJob one{"reading"};
  std::unique_ptr<Peer> peer;
  std::vector<Credits> granted;
  WorkerTasks tasks{SystemClock::instance(), network, KeyPair{}, Configuration{}};
};

std::string frame_of(std::uint32_t channel, const std::vector<std::string>& rows,
                     bool end = false) {
  ByteWriter writer;
  write_frame_header(writer, channel);
  if (!rows.empty()) {
    Batch batch(byte_record_type(), 64 * 1024);
    for (const std::string& row : rows) {
      ::new (batch.rows<std::string_view>() + batch.size()) std::string_view(row);
      batch.set_size(batch.size() + 1);
    }
    write_element(writer, {Element::Kind::batch, &batch});
  }
  if (end) write_element(writer, {Element::Kind::end_of_input});
  return std::string(writer.view());
}

TEST(RemoteTasks, ReadWhatAnotherWorkerWrites) {
  Reading reading;
  ASSERT_EQ(reading.granted.size(), 1u);
  EXPECT_EQ(reading.granted[0].credits, 32u);
  reading.peer->send(frame_of(0, {"one", "", std::string(70'000, 'x')}));
  reading.peer->send(frame_of(0, {"four"}, true));
  EXPECT_EQ(reading.notes.wait_for("finished"), "finished");
  EXPECT_EQ(reading.rows.sorted(),
            (std::vector<std::string>{"", "four", "one", std::string(70'000, 'x')}));
  reading.tasks.commit();
  EXPECT_EQ(reading.notes.wait_for("ended"), "ended");
}

TEST(RemoteTasks, FailTheJobWithATextWhenAWorkerSendsNonsense) {
  const std::string good = frame_of(0, {"one"});
  const auto changed = [&](std::size_t at, char to) {
    std::string bytes = good;
    bytes[at] = to;
    return bytes;
  };
  // Header of 8 bytes, kind, timestamps, rows, fingerprint.
  const std::pair<std::string, std::string> wrong[] = {
      {frame_of(7, {"one"}), "a frame for channel 7"},
      {good.substr(0, 6), "number of a channel"},
      {good.substr(0, 8), "kind of an element"},
      {good.substr(0, good.size() - 1), "string"},
      {changed(8, 9), "kind of an element"},
      {changed(9, 3), "bool"},
      {changed(13, '\x7f'), "what can't be read"},
      {changed(15, static_cast<char>(good[15] ^ 1)), "another schema"},
      {frame_of(0, {}, true) + good.substr(8), "something follows the end"},
      {to_message(std::vector<Credits>{{0, 1}}), "credits for channel 0"},
      {to_message(SplitWanted{1, 0, 0}), "splits are wanted"},
      {to_message(SplitAnswer{5, {}, {}}), "an answer to request 5"},
      {rows_done(), "which no worker sends"},
  };
  for (const auto& [bytes, reason] : wrong) {
    Reading reading;
    reading.peer->send(bytes);
    const std::string failure = reading.notes.wait_for("failed");
    EXPECT_NE(failure.find(reason), std::string::npos) << reason << " is not in " << failure;
    EXPECT_NE(failure.find("worker 1 of the job"), std::string::npos) << failure;
    EXPECT_EQ(reading.notes.wait_for("ended"), "ended");
  }
}

TEST(RemoteTasks, FailTheJobWhenAWorkerSendsWithoutCreditOrGoes) {
  {
    Reading reading;
    // The sink may take some meanwhile, and gives credits back for those.
    for (int i = 0; i < 10'000; ++i) reading.peer->send(frame_of(0, {"row"}));
    const std::string failure = reading.notes.wait_for("failed");
    EXPECT_NE(failure.find("no credit"), std::string::npos) << failure;
  }
  Reading reading;
  reading.peer.reset();
  EXPECT_NE(reading.notes.wait_for("failed").find("is lost: its connection is closed"),
            std::string::npos);
}

// Waits at its first row until it is let go.
class StuckSink final : public QuietOperator {
 public:
  explicit StuckSink(std::shared_future<void> go_on) : go_on_(std::move(go_on)) {}
  void row(const ByteRows&, std::uint32_t) override {
    await([this] { go_on_.wait(); });
  }

 private:
  const std::shared_future<void> go_on_;
};

TEST(RemoteTasks, AStuckReaderHoldsUpNoOtherOfItsConnection) {
  std::promise<void> go_on;
  const auto let_go = go_on.get_future().share();
  Rows rows;
  OperatorJob job("two readers");
  const auto stuck_source = job.source("stuck source", {});
  const auto source = job.source("source", {});
  const auto stuck = job.add("stuck", [let_go] { return std::make_unique<StuckSink>(let_go); }, {});
  job.connect(stuck_source, stuck, {.partitioning = Partitioning::kRebalance});
  job.connect(source, job.sink("sink", rows), {.partitioning = Partitioning::kRebalance});
  Reading reading(job, {stuck_source, source});
  ASSERT_GE(reading.granted.size(), 1u);
  // All that it may have for the one, and then some for the other.
  for (std::uint32_t i = 0; i < 32; ++i) reading.peer->send(frame_of(0, {"stuck"}));
  for (int i = 0; i < 20; ++i) reading.peer->send(frame_of(1, {"row"}));
  reading.peer->send(frame_of(1, {}, true));
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (rows.size() < 20 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  EXPECT_EQ(rows.size(), 20u);
  go_on.set_value();
  reading.peer->send(frame_of(0, {}, true));
  EXPECT_EQ(reading.notes.wait_for("finished"), "finished");
}

// ---- frames ----------------------------------------------------------------------------------

TEST(Frame, DamagedOnesAreRefusedAndNeverRead) {
  Batch batch(record_type<std::string>(), 4096);
  for (int i = 0; i < 20; ++i) {
    ::new (batch.rows<std::string>() + batch.size()) std::string(static_cast<std::size_t>(i), 'a');
    batch.timestamp_column()[batch.size()] = i;
    batch.set_size(batch.size() + 1);
  }
  batch.set_has_timestamps(true);
  ByteWriter writer;
  write_frame_header(writer, 0);
  write_element(writer, {Element::Kind::watermark, nullptr, 5});
  write_element(writer, {Element::Kind::batch, &batch});
  write_element(writer, {Element::Kind::end_of_input});
  const std::string frame(writer.view());
  const auto read = [](const std::string& bytes) {
    std::size_t rows = 0;
    FrameReader reader(bytes.data(), bytes.size());
    while (!reader.at_end()) {
      if (reader.look() != Element::Kind::batch) {
        reader.take();
        continue;
      }
      Batch into(record_type<std::string>(), 512);
      reader.read_rows(into);
      rows += into.size();
    }
    return rows;
  };
  EXPECT_EQ(read(frame), 20u);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    try {
      read(frame.substr(0, size));
    } catch (const Error&) {
    }
  }
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = frame;
    for (auto flips = random() % 3 + 1; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    try {
      read(bytes);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace freshet::testing
