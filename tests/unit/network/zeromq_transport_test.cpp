// Links over real sockets on loopback, and what strangers can do to a listener.
#include "network/zeromq_transport.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "captured_log.h"
#include "clock/clock.h"
#include "links/link.h"
#include "links/packing.h"
#include "scale.h"
#include "simulation/seeded_random.h"
#include "strangers.h"

namespace freshet::core {
namespace {

using testing::kCurveGreeting;
using testing::LowDescriptorLimit;
using testing::PlainConnection;
using testing::SilentCrowd;
using testing::Stranger;

struct Echo {
  static constexpr const char* kKind = "echo";
  struct Answer {
    std::string text;
    std::string key;
    FRESHET_MESSAGE_FIELDS(text, key);
  };
  std::string text;
  FRESHET_MESSAGE_FIELDS(text);
};

struct Measure {
  static constexpr const char* kKind = "measure";
  struct Answer {
    std::size_t size = 0;
    FRESHET_MESSAGE_FIELDS(size);
  };
  std::string text;
  FRESHET_MESSAGE_FIELDS(text);
};

// Until it holds; only a hang guard ends it otherwise.
template <class Condition>
::testing::AssertionResult comes_true(Condition condition) {
  for (int i = 0; i < 30'000; ++i) {
    if (condition()) return ::testing::AssertionSuccess();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ::testing::AssertionFailure() << "not within 30 s";
}

// A machine may need longer for one large frame than a peer may be silent otherwise.
LinkOptions patient() {
  LinkOptions options;
  options.heartbeat_timeout_ms = 600'000;
  return options;
}

// What a process of a cluster has, in this one.
class Process : public LinkListener {
 public:
  explicit Process(std::string name, KeyPair its_keys = make_key_pair(), LinkOptions options = {})
      : keys(std::move(its_keys)),
        zap(SystemClock::instance(), network),
        name_(std::move(name)),
        options_(options) {
    on_control([&] {
      transport.emplace(control, network, zap, keys);
      std::string incarnation = name_;
      incarnation.resize(32, '0');
      links.emplace(control, *transport,
                    PeerInfo{Role::kWorker, name_, incarnation, keys.public_key}, options_);
      table.on<Echo>([](Link& link, const Echo& echo) {
        return Echo::Answer{echo.text, link.peer().key};
      });
      table.on<Measure>(
          [](Link&, const Measure& measure) { return Measure::Answer{measure.text.size()}; });
    });
  }
  ~Process() override { end(); }

  void end() {
    on_control([&] {
      links.reset();
      transport.reset();
    });
  }

  // On the control thread; waits for it. What f throws is this thread's alone by then.
  template <class F>
  auto on_control(F f) -> decltype(f()) {
    using Result = decltype(f());
    std::conditional_t<std::is_void_v<Result>, int, std::optional<Result>> result{};
    std::exception_ptr error;
    Promise<void> promise;
    auto done = promise.future();
    control.post("test", [&, promise = std::move(promise)]() mutable {
      try {
        if constexpr (std::is_void_v<Result>) {
          f();
        } else {
          result.emplace(f());
        }
      } catch (...) {
        error = std::current_exception();
      }
      promise.set_value();
    });
    done.get();
    if (error) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<Result>) return std::move(*result);
  }

  Address listen(const std::string& endpoint = "tcp://127.0.0.1:*") {
    return on_control([&] { return links->listen(endpoint, table, *this); });
  }
  Link* connect(const Address& to, std::int64_t patience_ms = 0) {
    return on_control([&] { return &links->connect(to, table, *this, patience_ms); });
  }
  void admit(const Process& peer, Role as = Role::kWorker) {
    on_control([&] { transport->admit(peer.keys.public_key, as); });
  }
  Echo::Answer ask(Link* link, const std::string& text) {
    auto answer = on_control([&] { return link->ask(Echo{text}); });
    if (!answer.wait_for(30'000)) throw std::runtime_error("no answer within 30 s");
    return answer.get();
  }
  std::size_t count_opened() {
    return on_control([&] { return opened; });
  }
  std::vector<std::string> reasons() {
    return on_control([&] { return lost; });
  }

  void link_opened(Link&) override { ++opened; }
  void link_lost(Link&, const std::string& reason) override { lost.push_back(reason); }

  const KeyPair keys;
  NetworkThread network;
  ZapHandler zap;
  OwnControlThread control{SystemClock::instance()};
  MessageTable table;
  std::size_t opened = 0;
  std::vector<std::string> lost;
  std::optional<ZeroMqTransport> transport;
  std::optional<Links> links;

 private:
  const std::string name_;
  const LinkOptions options_;
};

TEST(ZeroMqTransport, BringsRequestsAndTheKeyThatTheirSenderHasProved) {
  Process server("server"), client("client");
  server.admit(client);
  Link* link = client.connect(server.listen());
  const auto answer = client.ask(link, "hello");
  EXPECT_EQ(answer.text, "hello");
  EXPECT_EQ(answer.key, client.keys.public_key);
}

TEST(ZeroMqTransport, RefusesAPeerThatCallsItselfWhatItsKeyWasNotGivenFor) {
  testing::CapturedLog log;
  Process server("server"), worker("a worker");
  server.admit(worker, Role::kTaskManager);
  worker.connect(server.listen());
  ASSERT_TRUE(comes_true([&] { return !worker.reasons().empty(); }));
  EXPECT_EQ(worker.reasons(),
            std::vector<std::string>{"its key was not given to a worker, as it calls itself"});
  EXPECT_EQ(server.count_opened(), 0u);
  EXPECT_NE(log.text().find("a worker is refused: its key was not given to a worker"),
            std::string::npos)
      << log.text();
}

TEST(ZeroMqTransport, CarriesLargeFrames) {
  Process server("server", make_key_pair(), patient());
  Process client("client", make_key_pair(), patient());
  server.admit(client);
  Link* link = client.connect(server.listen());
  const std::string large(static_cast<std::size_t>(testing::scaled(50'000'000)), 'x');
  EXPECT_EQ(client.ask(link, large).text, large);
}

// CURVE makes a frame 33 bytes longer on its way, which libzmq counts.
TEST(ZeroMqTransport, CarriesOrRefusesFramesAroundTheLimitAndKeepsTheLink) {
  Process server("server", make_key_pair(), patient());
  Process client("client", make_key_pair(), patient());
  server.admit(client);
  Link* link = client.connect(server.listen());
  std::size_t carried = 0, refused = 0;
  for (std::size_t less = 125; less >= 25; less -= 20) {
    const std::size_t size = kMostFrameBytes - less;
    auto answer = client.on_control([&] { return link->ask(Measure{std::string(size, 'x')}); });
    ASSERT_TRUE(answer.wait_for(600'000)) << less << " bytes below the limit: neither";
    try {
      EXPECT_EQ(answer.get().size, size);
      ++carried;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find("above the limit of a frame"), std::string::npos);
      ++refused;
    }
  }
  EXPECT_GT(carried, 1u);
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(client.ask(link, "still there?").text, "still there?");
  EXPECT_EQ(client.count_opened(), 1u);
}

TEST(ZeroMqTransport, WorksOverIpcWithoutKeys) {
  const std::string folder = std::filesystem::temp_directory_path() / "freshet-ipc-test.XXXXXX";
  std::string made = folder;
  ASSERT_NE(mkdtemp(made.data()), nullptr);
  {
    Process server("server", {}), client("client", {});
    const Address address = server.listen("ipc://" + made + "/socket");
    EXPECT_TRUE(address.key.empty());
    EXPECT_EQ(client.ask(client.connect(address), "hello").key, "");
  }
  std::filesystem::remove_all(made);
}

TEST(ZeroMqTransport, RefusesTcpWithoutKeys) {
  Process server("server", {});
  for (const char* endpoint : {"tcp://0.0.0.0:*", "tcp://127.0.0.1:*"}) {
    EXPECT_THROW(server.listen(endpoint), InvalidInput);
  }
  EXPECT_THROW(server.connect({"tcp://127.0.0.1:1", {}}), InvalidInput);
}

TEST(ZeroMqTransport, NamesTheAddressThatIsTakenOrNone) {
  Process server("server");
  const Address address = server.listen();
  for (const std::string& endpoint :
       {address.endpoint, std::string("tcp://127.0.0.1:99999"), std::string("udp://127.0.0.1:1"),
        std::string("tcp://127.0.0.1"), std::string("ipc://relative")}) {
    try {
      server.listen(endpoint);
      ADD_FAILURE() << endpoint;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find(endpoint), std::string::npos) << error.what();
    }
  }
}

// A process that speaks frames, not links.
class FrameProcess : public TransportEvents {
 public:
  explicit FrameProcess(KeyPair its_keys = make_key_pair()) : process("frames", its_keys) {}
  ~FrameProcess() override { process.end(); }

  Address listen(const std::string& endpoint = "tcp://127.0.0.1:*") {
    return process.on_control([&] { return process.transport->listen(endpoint, *this); });
  }
  ConnectionId connect(const Address& to) {
    return process.on_control([&] { return process.transport->connect(to, *this); });
  }
  void send(ConnectionId to, const std::string& bytes) {
    process.on_control([&] { process.transport->send(to, bytes); });
  }
  template <class F>
  bool eventually(F condition) {
    return comes_true([&] { return process.on_control(condition); });
  }

  void connected(ConnectionId) override { ++connects; }
  void frame(ConnectionId connection, const PublicKey& key, std::string bytes) override {
    from = connection;
    from_key = key;
    frames.push_back(std::move(bytes));
  }
  void disconnected(ConnectionId, const std::string& reason) override {
    ends.push_back(reason);
    frames_at_end = frames.size();
  }

  Process process;
  int connects = 0;
  ConnectionId from = 0;
  PublicKey from_key;
  std::vector<std::string> frames;
  std::vector<std::string> ends;
  std::size_t frames_at_end = 0;
};

TEST(ZeroMqTransport, TellsOfAPeersEndAfterAllThatItSent) {
  FrameProcess server;
  const Address address = server.listen();
  for (std::size_t round = 1; round <= 20; ++round) {
    FrameProcess client;
    server.process.admit(client.process);
    const ConnectionId connection = client.connect(address);
    ASSERT_TRUE(client.eventually([&] { return client.connects == 1; }));
    for (int i = 0; i < 100; ++i) client.send(connection, std::to_string(i));
    client.process.end();
    ASSERT_TRUE(server.eventually([&] { return server.ends.size() == round; }));
    EXPECT_EQ(server.process.on_control([&] { return server.frames_at_end; }), 100 * round);
    EXPECT_EQ(server.process.on_control([&] { return server.from_key; }),
              client.process.keys.public_key);
  }
}

// The last frames and the end of the connection are there before the one who dialed reads any.
TEST(ZeroMqTransport, BringsAllThatWasSentBeforeTheEndToOneThatReadsLate) {
  const auto sockets = [] {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(each.path(), gone).native().starts_with("socket:")) ++count;
    }
    return count;
  };
  for (int round = 0; round < 5; ++round) {
    FrameProcess client;
    auto server = std::make_unique<FrameProcess>();
    server->process.admit(client.process);
    const ConnectionId connection = client.connect(server->listen());
    ASSERT_TRUE(client.eventually([&] { return client.connects == 1; }));
    client.send(connection, "hello");
    ASSERT_TRUE(server->eventually([&] { return server->frames.size() == 1; }));
    Promise<void> busy, go_on;
    const auto is_busy = busy.future(), may_go_on = go_on.future();
    client.process.network.post([&busy, may_go_on] {
      busy.set_value();
      may_go_on.wait();
    });
    is_busy.wait();
    const std::size_t before = sockets();
    for (int i = 0; i < 100; ++i) server->send(server->from, std::to_string(i));
    server.reset();
    // The listener, its connection, and the client's side of that.
    EXPECT_TRUE(comes_true([&] { return sockets() + 3 <= before; }));
    go_on.set_value();
    ASSERT_TRUE(client.eventually([&] { return !client.ends.empty(); }));
    EXPECT_EQ(client.process.on_control([&] { return client.frames_at_end; }), 100u);
  }
}

TEST(ZeroMqTransport, ConnectsAgainSoonAfterItsListenerIsBack) {
  FrameProcess client;
  const KeyPair keys = make_key_pair();
  auto server = std::make_unique<FrameProcess>(keys);
  server->process.admit(client.process);
  const Address address = server->listen();
  client.connect(address);
  ASSERT_TRUE(client.eventually([&] { return client.connects == 1; }));
  server.reset();
  ASSERT_TRUE(client.eventually([&] { return !client.ends.empty(); }));
  server = std::make_unique<FrameProcess>(keys);
  server->process.admit(client.process);
  const auto begin = std::chrono::steady_clock::now();
  server->listen(address.endpoint);
  ASSERT_TRUE(client.eventually([&] { return client.connects == 2; }));
  const auto took = std::chrono::steady_clock::now() - begin;
  RecordProperty(
      "reconnect_ms",
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  std::cout << "connected again after "
            << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
}

TEST(ZeroMqTransport, EndsWhileItDialsAgainAndAgain) {
  const KeyPair nobody = make_key_pair();
  for (int round = 0; round < 200; ++round) {
    FrameProcess client;
    for (int i = 0; i < 4; ++i) client.connect({"tcp://127.0.0.1:1", nobody.public_key});
    ASSERT_TRUE(client.eventually([&] { return client.ends.size() == 4; }));
  }
}

TEST(ZeroMqTransport, BringsNothingOfAKeyThatIsExpelled) {
  FrameProcess server, client;
  server.process.admit(client.process);
  const Address address = server.listen();
  const ConnectionId connection = client.connect(address);
  ASSERT_TRUE(client.eventually([&] { return client.connects == 1; }));
  client.send(connection, "before");
  ASSERT_TRUE(server.eventually([&] { return server.frames.size() == 1; }));
  server.process.on_control(
      [&] { server.process.transport->expel(client.process.keys.public_key); });
  ASSERT_TRUE(server.eventually([&] { return server.ends.size() == 1; }));
  EXPECT_EQ(server.ends[0], "its key is expelled");
  client.send(connection, "after");
  // What comes behind it by another connection shows that it has been dropped.
  FrameProcess other;
  server.process.admit(other.process);
  const ConnectionId of_other = other.connect(address);
  ASSERT_TRUE(other.eventually([&] { return other.connects == 1; }));
  other.send(of_other, "of another");
  ASSERT_TRUE(server.eventually([&] { return server.frames.size() == 2; }));
  EXPECT_EQ(server.frames[1], "of another");
}

// The resources of connections that are tried in vain do not pile up.
TEST(ZeroMqTransport, KeepsNothingOfAttemptsThatFail) {
  const auto descriptors = [] {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
      static_cast<void>(each);
      ++count;
    }
    return count;
  };
  FrameProcess client;
  const std::size_t before = descriptors();
  // A port that was free a moment ago.
  Address address;
  {
    FrameProcess server;
    address = server.listen();
  }
  client.connect(address);
  ASSERT_TRUE(client.eventually([&] { return !client.ends.empty(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // some attempts
  EXPECT_LE(descriptors(), before + 16);
}

// ---- strangers ----------------------------------------------------------------------------------

class Listener : public ::testing::Test {
 protected:
  Listener() {
    server.admit(friend_);
    address = server.listen();
  }

  // A friend is served as before, and what came before it has been told in one line with `words`.
  void expect_served_and_told(const std::string& words) {
    EXPECT_TRUE(comes_true([&] { return !log.lines().empty(); })) << "nothing is logged";
    EXPECT_EQ(friend_.ask(friend_.connect(address), "still there?").text, "still there?");
    const auto lines = log.lines();
    ASSERT_EQ(lines.size(), 1u) << lines.back();
    EXPECT_NE(lines[0].find(words), std::string::npos) << lines[0];
    EXPECT_EQ(server.count_opened(), 1u);
  }

  testing::CapturedLog log;
  Process server{"server"};
  Process friend_{"friend"};
  Address address;
};

TEST_F(Listener, RefusesAPeerWithoutCurve) {
  {
    Stranger stranger;
    stranger.connect(address.endpoint);
    stranger.send("hello");
    EXPECT_FALSE(stranger.is_let_in());
  }
  expect_served_and_told("is refused");
}

TEST_F(Listener, RefusesAKeyThatIsNotAdmittedThoughItKnowsTheServersKey) {
  const KeyPair keys = make_key_pair();
  {
    Stranger stranger;
    stranger.use_curve(keys, address.key);
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  }
  expect_served_and_told(keys.public_key);
}

TEST_F(Listener, RefusesAPeerThatKnowsAnotherClustersKey) {
  {
    Stranger stranger;
    stranger.use_curve(friend_.keys, make_key_pair().public_key);
    stranger.connect(address.endpoint);
    EXPECT_FALSE(stranger.is_let_in());
  }
  expect_served_and_told("the keys do not fit");
}

TEST_F(Listener, RefusesRandomBytes) {
  {
    SeededRandom random(1);
    std::string bytes(10'000, '\0');
    for (char& c : bytes) c = static_cast<char>(random.draw());
    PlainConnection connection(address.endpoint);
    connection.send(bytes);
    connection.end_sending();
    connection.wait_for_end();
  }
  expect_served_and_told("is refused");
}

TEST_F(Listener, RefusesAGreetingThatEndsInTheMiddle) {
  {
    PlainConnection connection(address.endpoint);
    connection.send(kCurveGreeting.substr(0, 20));
    connection.end_sending();
    connection.wait_for_end();
  }
  expect_served_and_told("before both had proved who they are");
}

TEST_F(Listener, RefusesAHandshakeFrameThatEndsInTheMiddle) {
  {
    PlainConnection connection(address.endpoint);
    connection.send(kCurveGreeting + std::string("\x04\xc8\x05HELLO", 8));
    connection.end_sending();
    connection.wait_for_end();
  }
  expect_served_and_told("before both had proved who they are");
}

TEST_F(Listener, RefusesAHandshakeFrameOfEightExbibytes) {
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  {
    PlainConnection connection(address.endpoint);
    connection.send(kCurveGreeting + std::string("\x06\x7f\xff\xff\xff\xff\xff\xff\xff", 9) +
                    std::string(1'000, 'x'));
    connection.wait_for_end();
  }
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 32 * 1024);
  expect_served_and_told("is refused");
}

TEST_F(Listener, ClosesAnAdmittedPeerThatSendsNoEnvelopes) {
  {
    Stranger stranger;
    stranger.use_curve(friend_.keys, address.key);
    stranger.connect(address.endpoint);
    ASSERT_TRUE(stranger.is_let_in());
    for (int i = 0; i < 10; ++i) stranger.send(std::string(100, 'x'));
    EXPECT_TRUE(comes_true([&] { return !log.lines().empty(); }));
  }
  expect_served_and_told("a frame");
}

TEST_F(Listener, ClosesAnAdmittedPeerThatSendsFramesOfSeveralParts) {
  {
    Stranger stranger;
    stranger.use_curve(friend_.keys, address.key);
    stranger.connect(address.endpoint);
    ASSERT_TRUE(stranger.is_let_in());
    stranger.send("a", ZMQ_SNDMORE);
    stranger.send("b");
    stranger.send("c");
    EXPECT_TRUE(comes_true([&] { return !log.lines().empty(); }));
  }
  expect_served_and_told("several parts");
}

TEST_F(Listener, ClosesAnAdmittedPeerWhoseFrameIsAboveTheLimit) {
  {
    Stranger stranger;
    stranger.use_curve(friend_.keys, address.key);
    stranger.connect(address.endpoint);
    ASSERT_TRUE(stranger.is_let_in());
    stranger.send(std::string(kMostFrameBytes + 100, 'x'));
    EXPECT_FALSE(stranger.is_let_in());
  }
  EXPECT_EQ(friend_.ask(friend_.connect(address), "still there?").text, "still there?");
}

TEST_F(Listener, HangsUpOnTheOldestOfACrowdThatSaysNothingAndServesAFriend) {
  const LowDescriptorLimit limit(400);
  SilentCrowd crowd(address.endpoint, 130);
  EXPECT_TRUE(comes_true([&] { return crowd.count_ended() == 30; })) << crowd.count_ended();
  EXPECT_EQ(crowd.count_open(), 100u);
  EXPECT_EQ(friend_.ask(friend_.connect(address), "still there?").text, "still there?");
  EXPECT_LE(crowd.count_open(), 99u);
  EXPECT_NE(log.lines().front().find("had not proved who it is when 100 others"), std::string::npos)
      << log.lines().front();
}

TEST_F(Listener, DoesNotFillTheLogWithAFloodOfStrangers) {
  for (int i = 0; i < 50; ++i) {
    PlainConnection connection(address.endpoint);
    connection.send(std::string(100, 'x'));
    connection.end_sending();
    connection.wait_for_end();
  }
  EXPECT_EQ(friend_.ask(friend_.connect(address), "still there?").text, "still there?");
  EXPECT_LE(log.lines().size(), 10u);
}

TEST(ZeroMqTransport, TellsTheRefusedSideWhy) {
  Process server("server"), client("client");
  const Address address = server.listen();
  client.connect(address, 1'000);
  ASSERT_TRUE(comes_true([&] { return !client.reasons().empty(); }));
  EXPECT_NE(client.reasons()[0].find("the key is not admitted"), std::string::npos)
      << client.reasons()[0];
}

}  // namespace
}  // namespace freshet::core
