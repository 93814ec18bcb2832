#include "addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace freshet::http {
namespace {

sockaddr_storage address_of(const std::string& text) {
  sockaddr_storage storage{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&storage, &four, sizeof four);
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr), 1) << text;
    six.sin6_family = AF_INET6;
    std::memcpy(&storage, &six, sizeof six);
  }
  return storage;
}

std::string refusal(const AddressRules& rules, const std::string& text,
                    Distance sent_from = Distance::kThisHost) {
  const sockaddr_storage storage = address_of(text);
  return rules.refusal(reinterpret_cast<const sockaddr&>(storage), sent_from);
}

TEST(AddressRules, RefuseLinkLocalAndMetadataAddressesAtTheirEdges) {
  const AddressRules rules({});
  for (const char* bad :
       {"169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::", "febf:ffff::1",
        "::ffff:169.254.1.1", "::169.254.1.1", "2002:a9fe:101::", "64:ff9b::a9fe:101",
        "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "224.0.0.1", "255.255.255.255",
        "ff02::1"})
    EXPECT_NE(refusal(rules, bad), "") << bad;
  for (const char* good : {"169.253.255.255", "169.255.0.0", "fe7f::1", "fec0::1", "8.8.8.8",
                           "10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "2001:db8::1",
                           "2002:808:808::", "100.100.100.201", "fd00:ec2::255"})
    EXPECT_EQ(refusal(rules, good), "") << good;
}

TEST(AddressRules, LetInWhatIsListedAndNothingBesides) {
  const AddressRules rules({"169.254.10.0/24", "fe80::1"});
  EXPECT_EQ(refusal(rules, "169.254.10.0"), "");
  EXPECT_EQ(refusal(rules, "169.254.10.255"), "");
  EXPECT_EQ(refusal(rules, "::ffff:169.254.10.1"), "");
  EXPECT_EQ(refusal(rules, "169.254.11.0"), "169.254.11.0 is a link-local address");
  EXPECT_EQ(refusal(rules, "fe80::1"), "");
  EXPECT_NE(refusal(rules, "fe80::2"), "");
}

TEST(AddressRules, RefuseThisHostToThoseWhoAreSentFromElsewhere) {
  for (const char* own : {"127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(refusal(AddressRules({}), own, Distance::kThisHost), "") << own;
    for (const Distance from : {Distance::kPrivateNetwork, Distance::kOutside}) {
      EXPECT_NE(refusal(AddressRules({}), own, from), "") << own;
      EXPECT_EQ(refusal(AddressRules({"127.0.0.0/8", "0.0.0.0/8", "::/127"}), own, from), "")
          << own;
    }
  }
}

TEST(AddressRules, RefusePrivateNetworksToThoseWhoAreSentFromOutside) {
  for (const char* inside :
       {"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
        "fc00::1", "fdff::1", "::ffff:10.1.2.3", "64:ff9b::a00:1", "2002:a00:1::"}) {
    EXPECT_EQ(refusal(AddressRules({}), inside, Distance::kThisHost), "") << inside;
    EXPECT_EQ(refusal(AddressRules({}), inside, Distance::kPrivateNetwork), "") << inside;
    EXPECT_NE(refusal(AddressRules({}), inside, Distance::kOutside), "") << inside;
  }
  const AddressRules listed({"10.1.0.0/16"});
  EXPECT_EQ(refusal(listed, "10.1.2.3", Distance::kOutside), "");
  EXPECT_EQ(refusal(listed, "10.2.2.3", Distance::kOutside),
            "10.2.2.3 is of a private network, into which a server outside redirects");
  for (const char* outside : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0",
                              "192.167.1.1", "100.128.0.1", "2001:db8::1"}) {
    const sockaddr_storage storage = address_of(outside);
    EXPECT_EQ(AddressRules::distance_of(reinterpret_cast<const sockaddr&>(storage)),
              Distance::kOutside)
        << outside;
    EXPECT_EQ(refusal(AddressRules({}), outside, Distance::kOutside), "") << outside;
  }
}

}  // namespace
}  // namespace freshet::http
