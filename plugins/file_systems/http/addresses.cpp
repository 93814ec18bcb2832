#include "addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "freshet/error.h"

namespace freshet::http {
namespace {

constexpr unsigned kBits = 128, kBitsOfMapping = 96;
constexpr const char* kLinkLocal = "a link-local address";
constexpr const char* kSecrets = "an address at which clouds tell secrets";
constexpr const char* kMulticast = "an address of many hosts";
constexpr const char* kThisHost = "this host itself, to which another one redirects";
constexpr const char* kPrivate = "of a private network, into which a server outside redirects";

struct Refused {
  const char* network;
  const char* what;
};
constexpr Refused kRefused[] = {
    {"169.254.0.0/16", kLinkLocal}, {"fe80::/10", kLinkLocal},   {"100.100.100.200", kSecrets},
    {"168.63.129.16", kSecrets},    {"192.0.0.192", kSecrets},   {"fd00:ec2::254", kSecrets},
    {"fd20:ce::254", kSecrets},     {"224.0.0.0/4", kMulticast}, {"255.255.255.255", kMulticast},
    {"ff00::/8", kMulticast},
};
constexpr const char* kThisHostNetworks[] = {"127.0.0.0/8", "0.0.0.0/8", "::1", "::"};
constexpr const char* kPrivateNetworks[] = {
    "10.0.0.0/8",    "172.16.0.0/12",  "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24",
    "198.18.0.0/15", "169.254.0.0/16", "fc00::/7",       "fec0::/10",     "fe80::/10"};

Address mapped(const std::uint8_t* four) {
  Address address{};
  address[10] = address[11] = 0xff;
  std::copy_n(four, 4, address.begin() + 12);
  return address;
}

Address address_of(const sockaddr& given) {
  Address address{};
  if (given.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &given, sizeof four);
    return mapped(reinterpret_cast<const std::uint8_t*>(&four.sin_addr));
  }
  if (given.sa_family != AF_INET6) throw InvalidInput("an address that is neither IPv4 nor IPv6");
  sockaddr_in6 six{};
  std::memcpy(&six, &given, sizeof six);
  std::memcpy(address.data(), &six.sin6_addr, address.size());
  return address;
}

bool begins_with(const Address& address, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), address.begin());
}

// The IPv4 address that a gateway makes of an IPv6 one (NAT64, 6to4), or that old forms hold.
std::optional<Address> inner(const Address& address) {
  if (begins_with(address, {0x20, 0x02})) return mapped(address.data() + 2);
  const bool nat64 = begins_with(address, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0});
  const bool compatible = begins_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) &&
                          (address[12] != 0 || address[13] != 0 || address[14] != 0);
  if (nat64 || compatible) return mapped(address.data() + 12);
  return std::nullopt;
}

std::string text_of(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const Address four = mapped(address.data() + 12);
  if (four == address) {
    ::inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

}  // namespace

AddressRules::AddressRules(const std::vector<std::string>& allowed) {
  for (const std::string& each : allowed) allowed_.push_back(network_of(each));
}

AddressRules::Network AddressRules::network_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string host = text.substr(0, slash);
  Network network{};
  std::uint8_t four[4];
  unsigned most = kBits, before = 0;
  bool good = true;
  if (::inet_pton(AF_INET, host.c_str(), four) == 1) {
    network.address = mapped(four);
    most = kBits - kBitsOfMapping;
    before = kBitsOfMapping;
  } else {
    good = ::inet_pton(AF_INET6, host.c_str(), network.address.data()) == 1;
  }
  unsigned bits = most;
  if (good && slash != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
    good = error == std::errc() && stop == end && bits <= most;
  }
  if (!good)
    throw InvalidInput("fetch.allowed-addresses: '" + text +
                       "' is no address and no network: write 169.254.0.0/16 or fe80::1");
  network.bits = before + bits;
  return network;
}

bool AddressRules::contains(const Network& network, const Address& address) {
  for (unsigned bit = 0; bit < network.bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((network.address[bit / 8] & mask) != (address[bit / 8] & mask)) return false;
  }
  return true;
}

bool AddressRules::any_contains(std::span<const char* const> networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const char* each) { return contains(network_of(each), address); });
}

Distance AddressRules::distance_of(const sockaddr& given) {
  Address address = address_of(given);
  if (const auto held = inner(address)) address = *held;
  if (any_contains(kThisHostNetworks, address)) return Distance::kThisHost;
  if (any_contains(kPrivateNetworks, address)) return Distance::kPrivateNetwork;
  return Distance::kOutside;
}

std::string AddressRules::refusal(const sockaddr& given, Distance sent_from) const {
  const Address address = address_of(given);
  const Address judged = inner(address).value_or(address);
  for (const Network& each : allowed_)
    if (contains(each, address) || contains(each, judged)) return "";
  for (const Refused& each : kRefused)
    if (contains(network_of(each.network), judged)) return text_of(address) + " is " + each.what;
  const Distance distance = distance_of(given);
  if (distance >= sent_from || distance == Distance::kOutside) return "";
  return text_of(address) + " is " + (distance == Distance::kThisHost ? kThisHost : kPrivate);
}

}  // namespace freshet::http
