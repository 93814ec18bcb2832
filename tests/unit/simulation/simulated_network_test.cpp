#include "simulation/simulated_network.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "freshet/error.h"

namespace freshet::core {
namespace {

class Recorder : public TransportEvents {
 public:
  Recorder(SimulatedThread& thread, SimulatedNetwork& network, std::string its_name,
           const PublicKey& key = {})
      : name(std::move(its_name)),
        network_(network),
        process_(thread.process(name)),
        transport(network.node(name, *process_, key)) {}
  ~Recorder() override { network_.crash(name); }
  void connected(ConnectionId) override { ++connects; }
  void frame(ConnectionId connection, const PublicKey& its_key, std::string bytes) override {
    frames[connection].push_back(bytes);
    in_order += bytes;
    key = its_key;
  }
  void disconnected(ConnectionId, const std::string& reason) override { ends.push_back(reason); }

  const std::string name;

 private:
  SimulatedNetwork& network_;
  std::unique_ptr<ControlThread> process_;

 public:
  Transport& transport;
  int connects = 0;
  std::map<ConnectionId, std::vector<std::string>> frames;
  std::string in_order;
  PublicKey key;
  std::vector<std::string> ends;
};

// Two clients send at once; what the server sees.
std::string story(std::uint64_t seed) {
  SimulatedThread thread(seed);
  SimulatedNetwork network(seed, thread);
  Recorder server(thread, network, "server"), one(thread, network, "one"),
      two(thread, network, "two");
  const Address address = server.transport.listen("tcp://127.0.0.1:*", server);
  const ConnectionId a = one.transport.connect(address, one);
  const ConnectionId b = two.transport.connect(address, two);
  EXPECT_TRUE(thread.run_until([&] { return one.connects && two.connects; }, 10'000));
  for (char c = '0'; c < '5'; ++c) {
    one.transport.send(a, std::string(1, c));
    two.transport.send(b, std::string(1, static_cast<char>(c - '0' + 'a')));
  }
  thread.run_for(10'000);
  for (const auto& [connection, frames] : server.frames) {
    EXPECT_TRUE(std::is_sorted(frames.begin(), frames.end())) << "order within a connection";
    EXPECT_EQ(frames.size(), 5u);
  }
  return server.in_order;
}

TEST(SimulatedNetwork, KeepsTheOrderOfAConnectionAndDrawsThatBetweenThem) {
  std::set<std::string> stories;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string told = story(seed);
    EXPECT_EQ(told, story(seed)) << "seed " << seed;
    stories.insert(told);
  }
  EXPECT_GT(stories.size(), 5u);
}

class SimulatedNetworkTest : public ::testing::Test {
 protected:
  SimulatedThread thread{3};
  SimulatedNetwork network{3, thread};
};

TEST_F(SimulatedNetworkTest, ConnectsOnceTheListenerIsThereAndAgainAfterABreak) {
  Recorder server(thread, network, "server"), client(thread, network, "client");
  client.transport.connect({"tcp://server:4711", {}}, client);
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 0);
  server.transport.listen("tcp://0.0.0.0:4711", server);
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 1);
  EXPECT_TRUE(network.break_a_connection());
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 2);
  EXPECT_EQ(client.ends.size(), 1u);
}

TEST_F(SimulatedNetworkTest, LetsInAdmittedKeysAlone) {
  Recorder server(thread, network, "server", "server key");
  Recorder client(thread, network, "client", "client key");
  const Address address = server.transport.listen("tcp://127.0.0.1:*", server);
  EXPECT_EQ(address.key, "server key");
  const ConnectionId connection = client.transport.connect(address, client);
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 0);
  server.transport.admit("client key", Role::kClient);
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 1);
  client.transport.send(connection, "hello");
  thread.run_for(1'000);
  EXPECT_EQ(server.key, "client key");
  server.transport.expel("client key");
  thread.run_for(1'000);
  EXPECT_EQ(server.ends.size(), 1u);
  EXPECT_EQ(client.connects, 1);
}

TEST_F(SimulatedNetworkTest, LosesWhatIsInFlightWhenANodeCrashesAndForgetsItsListeners) {
  auto server = std::make_unique<Recorder>(thread, network, "server");
  Recorder client(thread, network, "client");
  const Address address = server->transport.listen("tcp://127.0.0.1:*", *server);
  const ConnectionId connection = client.transport.connect(address, client);
  thread.run_for(1'000);
  client.transport.send(connection, "lost");
  network.crash("server");
  EXPECT_EQ(network.listeners(), 0u);
  EXPECT_EQ(network.connections(), 0u);
  thread.run_for(1'000);
  EXPECT_EQ(server->in_order, "");
  EXPECT_EQ(client.ends.size(), 1u);
  server.reset();
  Recorder again(thread, network, "server");
  again.transport.listen(
      "tcp://127.0.0.1:" + address.endpoint.substr(address.endpoint.rfind(':') + 1), again);
  thread.run_for(1'000);
  EXPECT_EQ(client.connects, 2);
}

TEST_F(SimulatedNetworkTest, BringsNothingBetweenPartedNodesUntilTheyAreHealed) {
  Recorder server(thread, network, "server"), client(thread, network, "client");
  const ConnectionId connection =
      client.transport.connect(server.transport.listen("tcp://127.0.0.1:*", server), client);
  thread.run_for(1'000);
  network.part("client", "server");
  client.transport.send(connection, "held");
  thread.run_for(10'000);
  EXPECT_EQ(server.in_order, "");
  EXPECT_TRUE(client.ends.empty());
  network.heal();
  thread.run_for(1'000);
  EXPECT_TRUE(server.in_order == "held" || client.connects == 2);
}

TEST_F(SimulatedNetworkTest, DeliversWhatWasSentBeforeAClose) {
  Recorder server(thread, network, "server"), client(thread, network, "client");
  const ConnectionId connection =
      client.transport.connect(server.transport.listen("tcp://127.0.0.1:*", server), client);
  thread.run_for(1'000);
  client.transport.send(connection, "last words");
  client.transport.close(connection);
  thread.run_for(1'000);
  EXPECT_EQ(server.in_order, "last words");
  EXPECT_EQ(server.ends.size(), 1u);
}

TEST_F(SimulatedNetworkTest, RefusesAnAddressThatIsTaken) {
  Recorder server(thread, network, "server");
  server.transport.listen("tcp://127.0.0.1:4711", server);
  EXPECT_THROW(server.transport.listen("tcp://127.0.0.1:4711", server), InvalidInput);
}

}  // namespace
}  // namespace freshet::core
