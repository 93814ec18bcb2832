#include "network/network_thread.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "task/scheduler.h"

namespace freshet::core {
namespace {

std::string text_of(NetworkMessage& message) { return {message.data(), message.size()}; }

TEST(NetworkThread, RunsWhatIsPostedInOrderOnOneThread) {
  std::vector<int> order;
  {
    NetworkThread network;
    EXPECT_FALSE(network.is_current());
    for (int i = 0; i < 1'000; ++i) {
      network.post([&, i] {
        EXPECT_TRUE(network.is_current());
        order.push_back(i);
      });
    }
  }
  ASSERT_EQ(order.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(NetworkThread, GivesTheCallerTheResultOrTheError) {
  NetworkThread network;
  EXPECT_EQ(network.call([&] { return network.is_current() ? 7 : 0; }), 7);
  EXPECT_THROW(network.call([] { throw InvalidInput("no"); }), InvalidInput);
}

TEST(NetworkThread, AnswersAFiberThatIsCanceledMeanwhile) {
  NetworkThread network;
  SchedulerPool pool(SystemClock::instance(), 1);
  Promise<void> begun, go_on;
  auto has_begun = begun.future();
  int result = 0;
  auto fiber = pool.spawn(0, "calls", [&, may_end = go_on.future()] {
    result = network.call([&] {
      begun.set_value();
      may_end.wait();
      return 7;
    });
  });
  has_begun.wait();
  fiber.cancel();
  go_on.set_value();
  fiber.finished().get();
  EXPECT_EQ(result, 7);
}

// Many frames both ways at once: a sign of arrival that is lost shows as a hang here.
TEST(NetworkThread, BringsEveryFrameOfTwoSocketsThatSendWhileTheyReceive) {
  constexpr int kFrames = 20'000;
  NetworkThread network;
  Promise<void> all_back;
  NetworkSocket* client = nullptr;
  NetworkSocket* server = nullptr;
  int back = 0;
  network.call([&] {
    server = &network.open(ZMQ_ROUTER, [](NetworkSocket& here) {
      NetworkMessage from, body;
      if (!here.receive(from) || !here.receive(body)) return;  // one only: called again for more
      EXPECT_EQ(here.send(from, ZMQ_SNDMORE), 0);
      EXPECT_EQ(here.send(body), 0);
    });
    server->bind("tcp://127.0.0.1:*");
    client = &network.open(ZMQ_DEALER, [&](NetworkSocket& here) {
      NetworkMessage body;
      while (here.receive(body)) {
        EXPECT_EQ(text_of(body), std::to_string(back));
        if (++back == kFrames) all_back.set_value();
      }
    });
    client->connect(server->last_endpoint());
  });
  for (int i = 0; i < kFrames; ++i) {
    network.post([&, i] {
      const std::string text = std::to_string(i);
      EXPECT_EQ(client->send(text.data(), text.size()), 0);
    });
  }
  EXPECT_TRUE(all_back.future().get_for(60'000));
  network.call([&] {
    network.close(*client);
    network.close(*server);
  });
}

TEST(NetworkThread, LetsASocketBeClosedFromItsOwnCallback) {
  NetworkThread network;
  Promise<void> closed;
  NetworkSocket* sender = nullptr;
  network.call([&] {
    auto& receiver = network.open(ZMQ_PULL, [&](NetworkSocket& here) {
      network.close(here);
      closed.set_value();
    });
    receiver.bind("tcp://127.0.0.1:*");
    sender = &network.open(ZMQ_PUSH, [](NetworkSocket&) {});
    sender->connect(receiver.last_endpoint());
    EXPECT_EQ(sender->send("a", 1), 0);
    EXPECT_EQ(sender->send("b", 1), 0);
  });
  EXPECT_TRUE(closed.future().get_for(60'000));
  network.call([&] { network.close(*sender); });
}

TEST(NetworkThread, NamesTheEndpointThatCantBeBound) {
  NetworkThread network;
  network.call([&] {
    auto& first = network.open(ZMQ_ROUTER, [](NetworkSocket&) {});
    first.bind("tcp://127.0.0.1:*");
    auto& second = network.open(ZMQ_ROUTER, [](NetworkSocket&) {});
    try {
      second.bind(first.last_endpoint());
      ADD_FAILURE() << "two sockets on " << first.last_endpoint();
    } catch (const NetworkError& error) {
      EXPECT_EQ(error.number, EADDRINUSE);
      EXPECT_NE(std::string(error.what()).find(first.last_endpoint()), std::string::npos);
    }
    network.close(first);
    network.close(second);
  });
}

}  // namespace
}  // namespace freshet::core
