#include "network/endpoint.h"

#include <gtest/gtest.h>

namespace freshet::core {
namespace {

TEST(Endpoint, IsToldWithAnotherHost) {
  EXPECT_EQ(told_endpoint("tcp://0.0.0.0:4711", "10.1.2.3"), "tcp://10.1.2.3:4711");
  EXPECT_EQ(told_endpoint("tcp://[::]:4711", "a.example.org"), "tcp://a.example.org:4711");
  EXPECT_EQ(told_endpoint("tcp://0.0.0.0:4711", "fd00::2"), "tcp://[fd00::2]:4711");
  EXPECT_EQ(told_endpoint("tcp://*:*", "[fd00::2]"), "tcp://[fd00::2]:*");
  EXPECT_EQ(told_endpoint("tcp://127.0.0.1:4711", ""), "tcp://127.0.0.1:4711");
  EXPECT_EQ(told_endpoint("ipc:///a/b", "10.1.2.3"), "ipc:///a/b");
}

TEST(Endpoint, KnowsTheAddressesThatMeanAllOfAHost) {
  EXPECT_TRUE(parse_endpoint("tcp://0.0.0.0:1").is_wildcard());
  EXPECT_TRUE(parse_endpoint("tcp://[::]:1").is_wildcard());
  EXPECT_FALSE(parse_endpoint("tcp://[::1]:1").is_wildcard());
  EXPECT_FALSE(parse_endpoint("tcp://localhost:1").is_wildcard());
  EXPECT_FALSE(parse_endpoint("ipc:///0.0.0.0").is_wildcard());
}

TEST(Endpoint, OfThisHostIsReachedByTheAddressThatLeadsToThePeer) {
  EXPECT_EQ(own_address_towards(parse_endpoint("tcp://127.0.0.1:9")), "127.0.0.1");
  EXPECT_EQ(own_address_towards(parse_endpoint("tcp://no-such-host.invalid:9")), host_name());
  EXPECT_FALSE(host_name().empty());
}

}  // namespace
}  // namespace freshet::core
