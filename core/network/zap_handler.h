// Whom this process lets in: ZeroMQ asks it about each CURVE client that knocks at one of our
// listeners (rpc 27/ZAP). Without it libzmq lets any key in.
//
// One for each NetworkThread, made before the first listener is bound and gone after the last. A
// listener names its domain, `kControlDomain` or `kDataDomain`; a key is admitted to a domain. What
// a frame's connection has proved stands in its property "User-Id".
//
// Threads    Every call from any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "clock/clock.h"
#include "freshet/api.h"
#include "network/network_thread.h"
#include "security/keys.h"
#include "security/peer_log.h"

namespace freshet::core {

inline constexpr const char* kControlDomain = "control";
inline constexpr const char* kDataDomain = "data";

class FRESHET_API ZapHandler {
 public:
  // Both outlive it. Throws NetworkError if the thread has one already.
  ZapHandler(const Clock& clock, NetworkThread& network);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

  // Counted: each admit() is taken back by one expel(). What a key has open stays open.
  void admit(const std::string& domain, const PublicKey& key);
  void expel(const std::string& domain, const PublicKey& key);
  bool admits(const std::string& domain, const PublicKey& key) const;

 private:
  void answer(NetworkSocket& socket);

  NetworkThread& network_;
  NetworkSocket* socket_ = nullptr;
  PeerLog refusals_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, PublicKey>, int> admitted_;
};

// Before bind(): only CURVE clients that know our public key and are admitted to the domain come
// in.
FRESHET_API void let_in_admitted_keys(NetworkSocket& listener, const KeyPair& own,
                                      const char* domain);
// Before connect(): only the owner of that key is talked to.
FRESHET_API void talk_to_owner_of(NetworkSocket& dialer, const PublicKey& server,
                                  const KeyPair& own);

}  // namespace freshet::core
