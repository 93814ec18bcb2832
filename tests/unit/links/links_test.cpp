// Links over the simulated network: seeds draw delays, breaks, crashes and the order of fibers.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "captured_log.h"
#include "links/envelope.h"
#include "links/link.h"
#include "links/packing.h"
#include "scale.h"
#include "simulation/simulated_network.h"

namespace freshet::core {
namespace {

struct Note {
  static constexpr const char* kKind = "note";
  int number = -1;
  std::string text;
  FRESHET_MESSAGE_FIELDS(number, text);
};
struct DoubleIt {
  static constexpr const char* kKind = "double-it";
  struct Answer {
    int doubled = 0;
    FRESHET_MESSAGE_FIELDS(doubled);
  };
  int number = 0;
  FRESHET_MESSAGE_FIELDS(number);
};
struct Slow {
  static constexpr const char* kKind = "slow";
  using Answer = DoubleIt::Answer;
  bool unused = false;
  FRESHET_MESSAGE_FIELDS(unused);
};
struct AskBack {
  static constexpr const char* kKind = "ask-back";
  using Answer = DoubleIt::Answer;
  bool unused = false;
  FRESHET_MESSAGE_FIELDS(unused);
};
struct Decree {
  static constexpr const char* kKind = "decree";
  static constexpr Senders kFrom{Role::kJobManager};
  using Answer = DoubleIt::Answer;
  int number = 0;
  FRESHET_MESSAGE_FIELDS(number);
};
struct Unheard {
  static constexpr const char* kKind = "unheard";
  std::string text;
  FRESHET_MESSAGE_FIELDS(text);
};
struct Unknown {
  static constexpr const char* kKind = "of-a-newer-release";
  using Answer = DoubleIt::Answer;
  int number = 0;
  FRESHET_MESSAGE_FIELDS(number);
};

std::string incarnation(const std::string& name, int life = 1) {
  std::string digits = name + std::to_string(life);
  digits.resize(32, '0');
  return digits;
}

// One process: its links, what arrived on them, and how they ended.
class Peer : public LinkListener {
 public:
  Peer(SimulatedThread& thread, SimulatedNetwork& network, const std::string& name,
       LinkOptions options = {}, int life = 1, const std::string& host = "")
      : network_(network),
        name_(host.empty() ? name : host),
        process_(thread.process(name_)),
        transport_(network.node(name_, *process_)),
        links_(std::in_place, *process_, transport_,
               PeerInfo{Role::kWorker, name, incarnation(name, life), {}}, options) {
    table.on<Note>([this](Link& link, const Note& note) {
      received[link.peer().name].push_back(note.number);
    });
    table.on<DoubleIt>([](Link&, const DoubleIt& request) {
      if (request.number < 0) throw InvalidInput("negative");
      if (request.number == 13) throw std::runtime_error("unlucky");
      return DoubleIt::Answer{2 * request.number};
    });
  }

  ~Peer() override {
    links_.reset();
    network_.crash(name_);
  }

  void link_opened(Link& link) override { opened.push_back(&link); }
  void link_lost(Link& link, const std::string& reason) override {
    lost[link.peer().name] = reason;
    replaced = link.replaced();
    peer_left = link.peer_left();
    std::erase(opened, &link);
  }

  Address listen(const std::string& endpoint = "tcp://127.0.0.1:*") {
    return links_->listen(endpoint, table, *this);
  }
  Link& connect(const Address& to, std::int64_t patience_ms = 0) {
    return links_->connect(to, table, *this, patience_ms);
  }

  MessageTable table;
  std::map<std::string, std::vector<int>> received;  // by the sender's name
  std::vector<Link*> opened;
  std::map<std::string, std::string> lost;
  bool replaced = false, peer_left = false;  // the last link that was lost

 private:
  SimulatedNetwork& network_;
  const std::string name_;
  std::unique_ptr<ControlThread> process_;
  Transport& transport_;
  std::optional<Links> links_;
};

std::vector<int> count_to(int end) {
  std::vector<int> numbers(static_cast<std::size_t>(end));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// Three clients and a server talk both ways while connections break. The oracle: each got what the
// other has sent, once each, in order; each request has its answer.
std::string run_with_breaks(std::uint64_t seed, bool never_resend) {
  constexpr int kNotes = 60;
  SimulatedThread thread(seed);
  SimulatedNetwork network(seed, thread);
  SeededRandom random(seed);
  LinkOptions options;
  options.reconnect_grace_ms = 600'000;
  options.heartbeat_timeout_ms = 600'000;
  options.test_never_resend = never_resend;
  Peer server(thread, network, "server", options);
  std::vector<std::unique_ptr<Peer>> clients;
  std::vector<Future<DoubleIt::Answer>> answers;
  const Address address = server.listen();
  std::vector<Link*> links;
  for (const char* name : {"a", "b", "c"}) {
    clients.push_back(std::make_unique<Peer>(thread, network, name, options));
    links.push_back(&clients.back()->connect(address));
  }
  for (int i = 0; i < kNotes; ++i) {
    for (std::size_t c = 0; c < clients.size(); ++c) {
      links[c]->send(Note{i, "to the server"});
      if (i % 10 == 0) answers.push_back(links[c]->ask(DoubleIt{100 + i}));
    }
    if (i == 0) {
      if (!thread.run_until([&] { return server.opened.size() == 3; }, 300'000)) return "no links";
    }
    for (Link* link : server.opened) link->send(Note{i, "to the client"});
    thread.run_for(static_cast<std::int64_t>(random.below(30)));
    if (random.one_in(4)) network.break_a_connection();
    if (random.one_in(30)) network.part("server", std::string(1, "abc"[random.below(3)]));
    if (random.one_in(10)) network.heal();
  }
  network.heal();
  const auto expected = count_to(kNotes);
  const auto all_there = [&] {
    for (const auto& answer : answers) {
      if (!answer.ready()) return false;
    }
    for (const auto& client : clients) {
      if (client->received["server"].size() < expected.size()) return false;
    }
    for (const char* name : {"a", "b", "c"}) {
      if (server.received[name].size() < expected.size()) return false;
    }
    return true;
  };
  if (!thread.run_until(all_there, 300'000)) return "something never arrived";
  thread.run_for(60'000);  // what comes twice shows now
  for (const auto& client : clients) {
    if (client->received["server"] != expected) return "wrong at a client";
  }
  for (const char* name : {"a", "b", "c"}) {
    if (server.received[name] != expected) return "wrong at the server";
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].get().doubled != 2 * (100 + static_cast<int>(i / 3) * 10)) return "wrong answer";
  }
  return network.frames_lost() > 0 ? "" : "nothing was lost";
}

TEST(Links, BringEachMessageOnceAndInOrderThroughBrokenConnections) {
  int with_losses = 0;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(testing::scaled(2'000)); ++seed) {
    const std::string wrong = run_with_breaks(seed, false);
    if (wrong == "nothing was lost") continue;
    ++with_losses;
    ASSERT_EQ(wrong, "") << "seed " << seed;
  }
  EXPECT_GT(with_losses, testing::scaled(1'600));
}

TEST(Links, ThatDoNotSendAgainAreFoundBySimulation) {
  const int seeds = testing::scaled(80, 4);
  int found = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    found += run_with_breaks(static_cast<std::uint64_t>(seed), true) == "something never arrived";
  }
  EXPECT_GT(found, seeds / 2);
}

// Peers under default options, whose nodes crash: what arrived is a prefix of what was sent.
TEST(Links, OfNodesThatCrashEndOnBothSidesAndBringAPrefix) {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(testing::scaled(400)); ++seed) {
    SimulatedThread thread(seed);
    SimulatedNetwork network(seed, thread);
    SeededRandom random(seed);
    Peer server(thread, network, "server");
    auto client = std::make_unique<Peer>(thread, network, "client");
    Link& link = client->connect(server.listen());
    for (int i = 0; i < 30; ++i) {
      link.send(Note{i, ""});
      thread.run_for(static_cast<std::int64_t>(random.below(20)));
    }
    const bool silently = random.one_in(2);
    network.crash("client", silently);
    client.reset();
    thread.run_for(10'000);
    if (server.received.count("client")) {
      EXPECT_EQ(server.received["client"],
                count_to(static_cast<int>(server.received["client"].size())));
      EXPECT_TRUE(server.lost.count("client")) << "seed " << seed;
    }
    EXPECT_EQ(network.connections(), 0u) << "seed " << seed << (silently ? ", silently" : "");
  }
}

class LinksTest : public ::testing::Test {
 protected:
  SimulatedThread thread{7};
  SimulatedNetwork network{7, thread};

  template <class Done>
  bool run_until(Done done, std::int64_t at_most_ms = 60'000) {
    return thread.run_until(done, at_most_ms);
  }
  template <class T>
  std::string error_of(const Future<T>& future) {
    EXPECT_TRUE(run_until([&] { return future.ready(); }));
    try {
      future.get();
    } catch (const InvalidInput& error) {
      return std::string("InvalidInput: ") + error.what();
    } catch (const RemoteError& error) {
      return std::string("RemoteError: ") + error.what();
    } catch (const LinkLost& error) {
      return std::string("LinkLost: ") + error.what();
    } catch (const std::exception& error) {
      return std::string("error: ") + error.what();
    }
    return "no error";
  }
};

TEST_F(LinksTest, TellEachSideWhoTheOtherIs) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  Link& link = client.connect(server.listen());
  EXPECT_FALSE(link.is_open());
  ASSERT_TRUE(run_until([&] { return link.is_open() && !server.opened.empty(); }));
  EXPECT_EQ(link.peer().name, "server");
  EXPECT_EQ(server.opened[0]->peer().name, "client");
  EXPECT_EQ(server.opened[0]->peer().incarnation, incarnation("client"));
}

TEST_F(LinksTest, CarryTheErrorOfAHandlerByItsType) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  Link& link = client.connect(server.listen());
  EXPECT_EQ(error_of(link.ask(DoubleIt{-1})), "InvalidInput: negative");
  EXPECT_EQ(error_of(link.ask(DoubleIt{13})), "RemoteError: unlucky");
  EXPECT_EQ(error_of(link.ask(DoubleIt{4})), "no error");
  EXPECT_EQ(error_of(link.ask(Unknown{})),
            "InvalidInput: the message 'of-a-newer-release' is not known here");
}

TEST_F(LinksTest, RefuseWhatTheRoleOfThePeerMayNotSendAndSayItOnce) {
  testing::CapturedLog log;
  Peer server(thread, network, "server"), client(thread, network, "a worker");
  server.table.on<Decree>([](Link&, const Decree&) {
    ADD_FAILURE() << "it came from a worker";
    return Decree::Answer{};
  });
  Link& link = client.connect(server.listen());
  const std::string refused = "'decree' is no message that a worker may send";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_of(link.ask(Decree{})), "InvalidInput: " + refused);
  EXPECT_EQ(log.text().find(refused), log.text().rfind(refused)) << log.text();
  EXPECT_NE(log.text().find("a worker: " + refused + " is refused"), std::string::npos);
  EXPECT_EQ(error_of(link.ask(DoubleIt{4})), "no error") << "the link goes on";
}

TEST_F(LinksTest, FailARequestWhoseAnswerIsOverdueAndGoOn) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  Promise<DoubleIt::Answer> late;
  server.table.on<Slow>([&](Link&, const Slow&) { return late.future(); });
  Link& link = client.connect(server.listen());
  EXPECT_EQ(error_of(link.ask(Slow{}, 2'000)),
            "error: no answer to 'slow' from server within 2000 ms");
  late.set_value(DoubleIt::Answer{1});
  EXPECT_EQ(error_of(link.ask(DoubleIt{4})), "no error");
}

TEST_F(LinksTest, LetAHandlerWaitForAnAnswerOnItsOwnLink) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  server.table.on<AskBack>([](Link& link, const AskBack&) { return link.ask(DoubleIt{21}).get(); });
  Link& link = client.connect(server.listen());
  auto answer = link.ask(AskBack{});
  ASSERT_TRUE(run_until([&] { return answer.ready(); }));
  EXPECT_EQ(answer.get().doubled, 42);
}

TEST_F(LinksTest, EndAtOnceWhenThePeerSaysGoodbyeBehindWhatItSent) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  Link& link = client.connect(server.listen());
  ASSERT_TRUE(run_until([&] { return !server.opened.empty() && link.is_open(); }));
  auto open = server.opened[0]->ask(DoubleIt{1});
  link.send(Note{0, ""});
  link.close("done");
  ASSERT_TRUE(run_until([&] { return server.lost.count("client") != 0; }, 400));
  EXPECT_EQ(server.lost["client"], "closed: done");
  EXPECT_TRUE(server.peer_left);
  EXPECT_EQ(server.received["client"], count_to(1));
  EXPECT_EQ(error_of(open),
            "LinkLost: no answer to 'double-it': the link to client is over: closed: done");
  EXPECT_TRUE(client.lost.empty());
  thread.run_for(1'000);
  EXPECT_EQ(network.connections(), 0u);
}

TEST_F(LinksTest, TellAPeerThatLeavesFromOneThatHasLostThem) {
  LinkOptions forgets;
  forgets.most_unacknowledged_bytes = 1'000;
  Peer server(thread, network, "server", forgets), client(thread, network, "client");
  Link& link = client.connect(server.listen());
  ASSERT_TRUE(run_until([&] { return !server.opened.empty() && link.is_open(); }));
  server.opened[0]->send(Note{0, std::string(2'000, 'x')});
  ASSERT_TRUE(run_until([&] { return client.lost.count("server") != 0; }, 400));
  EXPECT_EQ(client.lost["server"].rfind("closed: client has not acknowledged ", 0), 0u)
      << client.lost["server"];
  EXPECT_FALSE(client.peer_left);
}

TEST_F(LinksTest, SayWhereNobodyAnsweredOncePatienceEnds) {
  Peer client(thread, network, "client");
  client.connect({"tcp://nobody:4711", {}}, 3'000);
  ASSERT_TRUE(run_until([&] { return !client.lost.empty(); }, 3'001));
  EXPECT_EQ(client.lost.begin()->second, "no answer from tcp://nobody:4711 within 3000 ms");
}

TEST_F(LinksTest, NoticeAPeerThatFellSilentByItsHeartbeat) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  client.connect(server.listen());
  ASSERT_TRUE(run_until([&] { return !server.opened.empty() && !client.opened.empty(); }));
  network.part("server", "client");
  EXPECT_FALSE(run_until([&] { return !server.lost.empty() || !client.lost.empty(); }, 3'500));
  ASSERT_TRUE(run_until([&] { return !server.lost.empty() && !client.lost.empty(); }, 3'000));
  EXPECT_EQ(server.lost["client"], "nothing came for 5000 ms (heartbeat.timeout)");
}

TEST_F(LinksTest, StayOpenWhileNothingButHeartbeatsGoes) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  client.connect(server.listen());
  thread.run_for(600'000);
  EXPECT_TRUE(server.lost.empty());
  EXPECT_TRUE(client.lost.empty());
}

TEST_F(LinksTest, AreLostWhenThePeerComesBackAsAnotherIncarnation) {
  auto server = std::make_unique<Peer>(thread, network, "server");
  LinkOptions patient;
  patient.reconnect_grace_ms = 600'000;
  Peer client(thread, network, "client", patient);
  Address address{"tcp://server:4711", {}};
  server->listen("tcp://127.0.0.1:4711");
  Link& link = client.connect(address);
  ASSERT_TRUE(run_until([&] { return link.is_open(); }));
  network.crash("server");
  server.reset();
  server = std::make_unique<Peer>(thread, network, "server", LinkOptions{}, 2);
  server->listen("tcp://127.0.0.1:4711");
  ASSERT_TRUE(run_until([&] { return !client.lost.empty(); }));
  EXPECT_EQ(client.lost["server"], "server has restarted");
  Link& again = client.connect(address);
  ASSERT_TRUE(run_until([&] { return again.is_open(); }));
}

TEST_F(LinksTest, KeepToTheHeartbeatOfTheSideThatListens) {
  LinkOptions slow, fast;
  slow.heartbeat_interval_ms = 10'000;
  slow.heartbeat_timeout_ms = 30'000;
  fast.heartbeat_interval_ms = 100;
  fast.heartbeat_timeout_ms = 300;
  for (const auto& [own, of_server] : {std::pair(fast, slow), std::pair(slow, fast)}) {
    Peer server(thread, network, "server", of_server);
    Peer client(thread, network, "client", own);
    Link& link = client.connect(server.listen());
    ASSERT_TRUE(run_until([&] { return link.is_open(); }));
    thread.run_for(120'000);
    EXPECT_TRUE(client.lost.empty());
    EXPECT_TRUE(server.lost.empty());
    network.crash("server", /*silently=*/true);
    ASSERT_TRUE(run_until([&] { return !client.lost.empty(); }));
    EXPECT_EQ(client.lost["server"], "nothing came for " +
                                         std::to_string(of_server.heartbeat_timeout_ms) +
                                         " ms (heartbeat.timeout)");
  }
}

TEST_F(LinksTest, TellAProcessThatAnotherHasTakenItsPlace) {
  Peer server(thread, network, "server");
  const Address address = server.listen();
  Peer one(thread, network, "tm", LinkOptions{}, 1, "host one");
  Peer two(thread, network, "tm", LinkOptions{}, 2, "host two");
  one.connect(address);
  ASSERT_TRUE(run_until([&] { return server.opened.size() == 1; }));
  two.connect(address);
  ASSERT_TRUE(run_until([&] { return !one.lost.empty(); }));
  EXPECT_TRUE(one.replaced) << one.lost["server"];
  thread.run_for(10'000);
  EXPECT_TRUE(two.lost.empty());
  ASSERT_EQ(server.opened.size(), 1u);
  EXPECT_EQ(server.opened[0]->peer().incarnation, incarnation("tm", 2));
}

TEST_F(LinksTest, TellAProcessThatWasCutOffWhetherAnotherHasTakenItsPlace) {
  for (const bool another_comes : {false, true}) {
    LinkOptions patient;
    patient.reconnect_grace_ms = 600'000;
    Peer server(thread, network, "server");
    const Address address = server.listen();
    Peer one(thread, network, "tm", patient, 1, "host one");
    std::optional<Peer> two;
    one.connect(address);
    ASSERT_TRUE(run_until([&] { return server.opened.size() == 1; }));
    network.part("server", "host one");
    ASSERT_TRUE(run_until([&] { return server.lost.count("tm") != 0; }));
    if (another_comes) {
      two.emplace(thread, network, "tm", LinkOptions{}, 2, "host two");
      two->connect(address);
      ASSERT_TRUE(run_until([&] { return server.opened.size() == 1; }));
    }
    network.heal();
    ASSERT_TRUE(run_until([&] { return !one.lost.empty(); }));
    EXPECT_EQ(one.replaced, another_comes) << one.lost["server"];
    if (another_comes) continue;
    Link& again = one.connect(address);
    EXPECT_TRUE(run_until([&] { return again.is_open(); })) << "it may come back";
  }
}

TEST_F(LinksTest, OfAnEarlierLifeAreLostWhenTheSamePeerSaysHelloAnew) {
  LinkOptions patient;
  patient.reconnect_grace_ms = patient.heartbeat_timeout_ms = 600'000;
  Peer server(thread, network, "server", patient);
  const Address address = server.listen();
  auto client = std::make_unique<Peer>(thread, network, "client");
  client->connect(address);
  ASSERT_TRUE(run_until([&] { return server.opened.size() == 1; }));
  network.crash("client", /*silently=*/true);
  client.reset();
  client = std::make_unique<Peer>(thread, network, "client", LinkOptions{}, 2);
  client->connect(address);
  ASSERT_TRUE(run_until([&] { return !server.lost.empty(); }));
  EXPECT_EQ(server.lost["client"], "client has restarted");
  EXPECT_TRUE(run_until([&] {
    return server.opened.size() == 1 &&
           server.opened[0]->peer().incarnation == incarnation("client", 2);
  }));
}

TEST_F(LinksTest, AreLostWhenThePeerTakesNothing) {
  LinkOptions options;
  options.most_unacknowledged_bytes = 1'000'000;
  Peer client(thread, network, "client", options);
  Link& link = client.connect({"tcp://nobody:4711", {}});
  for (int i = 0; i < 12; ++i) link.send(Note{i, std::string(100'000, 'x')});
  ASSERT_TRUE(run_until([&] { return !client.lost.empty(); }));
  EXPECT_NE(client.lost.begin()->second.find("has not acknowledged 1000"), std::string::npos)
      << client.lost.begin()->second;
}

TEST_F(LinksTest, AreLostWhenAHandlerOfThePeerStandsStillAndNotAsLongAsItGoesOn) {
  LinkOptions options;
  options.most_unacknowledged_bytes = 1'000'000;
  Peer server(thread, network, "server"), client(thread, network, "client", options);
  Promise<DoubleIt::Answer> never;
  server.table.on<AskBack>([&](Link&, const AskBack&) { return never.future().get(); });
  Link& link = client.connect(server.listen());
  for (int i = 0; i < 100; ++i) {
    link.send(Note{i, std::string(100'000, 'x')});
    thread.run_for(500);
  }
  ASSERT_TRUE(client.lost.empty()) << client.lost.begin()->second;
  EXPECT_EQ(server.received["client"], count_to(100));
  auto answer = link.ask(AskBack{});
  for (int i = 0; i < 12 && client.lost.empty(); ++i) {
    link.send(Note{i, std::string(100'000, 'x')});
    thread.run_for(500);
  }
  ASSERT_FALSE(client.lost.empty());
  EXPECT_NE(client.lost["server"].find("has not acknowledged 1000"), std::string::npos);
  never.set_value();
  thread.run_for(500);
}

TEST_F(LinksTest, RefuseAMessageAboveTheLimitOfAFrame) {
  Peer client(thread, network, "client");
  Link& link = client.connect({"tcp://nobody:4711", {}});
  EXPECT_THROW(link.send(Note{0, std::string(FrameLimits{}.bytes, 'x')}), InvalidInput);
  EXPECT_TRUE(client.lost.empty());
}

// Frames by hand: what a peer of another release, or a broken one, sends.
class RawPeer final : public TransportEvents {
 public:
  RawPeer(SimulatedThread& thread, SimulatedNetwork& network)
      : network_(network),
        process_(thread.process("raw")),
        transport_(network.node("raw", *process_)) {}
  ~RawPeer() override { network_.crash("raw"); }
  void connect(const Address& to) { id_ = transport_.connect(to, *this); }
  void send(std::string bytes) { transport_.send(id_, std::move(bytes)); }
  void hello(int version) {
    Hello hello;
    hello.role = 0;
    hello.name = "raw";
    hello.incarnation = incarnation("raw");
    hello.attempt = 1;
    Envelope envelope;
    envelope.version = version;
    envelope.type = static_cast<std::uint8_t>(FrameType::kHello);
    msgpack::sbuffer body;
    msgpack::pack(body, hello);
    send(encode_frame(envelope, {body.data(), body.size()}));
  }
  void connected(ConnectionId) override { is_connected = true; }
  void frame(ConnectionId, const PublicKey&, std::string bytes) override {
    frames.push_back(std::move(bytes));
  }
  void disconnected(ConnectionId, const std::string&) override {}

  bool is_connected = false;
  std::vector<std::string> frames;

 private:
  SimulatedNetwork& network_;
  std::unique_ptr<ControlThread> process_;
  Transport& transport_;
  ConnectionId id_ = 0;
};

TEST_F(LinksTest, RefuseAnotherProtocolVersionNamingBoth) {
  Peer server(thread, network, "server");
  RawPeer raw(thread, network);
  raw.connect(server.listen());
  ASSERT_TRUE(run_until([&] { return raw.is_connected; }));
  raw.hello(2);
  ASSERT_TRUE(run_until([&] { return !raw.frames.empty(); }));
  const Frame answer = decode_frame(raw.frames[0]);
  EXPECT_EQ(answer.envelope.type, static_cast<std::uint8_t>(FrameType::kRefused));
  EXPECT_NE(answer.body.find("protocol version 2 of raw is not version 1 of server"),
            std::string_view::npos);
  EXPECT_TRUE(server.opened.empty());
}

// The other way: the listener is of another release.
class OtherRelease final : public TransportEvents {
 public:
  explicit OtherRelease(Transport& transport) : transport_(transport) {}
  void connected(ConnectionId) override {}
  void frame(ConnectionId connection, const PublicKey&, std::string bytes) override {
    const Frame hello = decode_frame(bytes);
    if (hello.envelope.type != static_cast<std::uint8_t>(FrameType::kHello)) return;
    Envelope envelope;
    envelope.version = 9;
    envelope.type = static_cast<std::uint8_t>(FrameType::kRefused);
    msgpack::sbuffer body;
    msgpack::pack(body, Refusal{"whatever it says", 1});
    transport_.send(connection, encode_frame(envelope, {body.data(), body.size()}));
  }
  void disconnected(ConnectionId, const std::string&) override {}

 private:
  Transport& transport_;
};

TEST_F(LinksTest, FailWithBothVersionsWhenTheListenerIsOfAnotherRelease) {
  auto process = thread.process("other");
  Transport& transport = network.node("other", *process);
  OtherRelease other(transport);
  Peer client(thread, network, "client");
  client.connect(transport.listen("tcp://127.0.0.1:*", other));
  ASSERT_TRUE(run_until([&] { return !client.lost.empty(); }));
  EXPECT_NE(client.lost.begin()->second.find("protocol version 9 of"), std::string::npos);
  EXPECT_NE(client.lost.begin()->second.find("is not version 1 of client"), std::string::npos);
  network.crash("other");
}

TEST_F(LinksTest, DoNotLetPeersThatAreLetInFillTheLog) {
  testing::CapturedLog log;
  Peer server(thread, network, "server"), client(thread, network, "client");
  const Address address = server.listen();
  Link& link = client.connect(address);
  for (int i = 0; i < 200; ++i) link.send(Unheard{});
  EXPECT_EQ(error_of(link.ask(DoubleIt{4})), "no error") << "the link goes on";
  for (int i = 0; i < 20; ++i) {
    RawPeer raw(thread, network);
    raw.connect(address);
    ASSERT_TRUE(run_until([&] { return raw.is_connected; }));
    raw.hello(99);
    ASSERT_TRUE(run_until([&] { return !raw.frames.empty(); })) << "it is told why";
  }
  EXPECT_EQ(log.lines().size(), 10u) << log.text();
  EXPECT_NE(log.lines()[0].find("'unheard' from client"), std::string::npos) << log.text();
}

TEST_F(LinksTest, ServeOthersWhileOnePeerSendsRubbish) {
  Peer server(thread, network, "server"), client(thread, network, "client");
  const Address address = server.listen();
  RawPeer raw(thread, network);
  raw.connect(address);
  ASSERT_TRUE(run_until([&] { return raw.is_connected; }));
  SeededRandom random(3);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(random.below(200), '\0');
    for (char& c : bytes) c = static_cast<char>(random.draw());
    raw.send(bytes);
  }
  Link& link = client.connect(address);
  EXPECT_EQ(error_of(link.ask(DoubleIt{4})), "no error");
  EXPECT_TRUE(server.opened.size() == 1);
}

}  // namespace
}  // namespace freshet::core
