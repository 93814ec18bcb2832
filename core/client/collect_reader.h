// The rows that a collecting operator of a cluster's job has for a client, read from the data
// socket of the worker that runs it: through nobody else's memory, and held back there while nobody
// reads.
//
// Threads    Any; one reader at a time.
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "freshet/api.h"
#include "freshet/future.h"
#include "network/network_thread.h"
#include "network/transport.h"
#include "security/keys.h"

namespace freshet::core {

class FRESHET_API CollectReader {
 public:
  // Connects to the worker at `worker`, which has admitted the key `own` (on ipc it may be empty).
  // `vertex` is the uid or id of the collecting operator. The network thread outlives it. Throws
  // NetworkError. [a thread that is not the network thread]
  CollectReader(NetworkThread& network, const KeyPair& own, const Address& worker,
                std::string job_id, std::string vertex);
  // Before the end: the job fails, since its rows go nowhere. Also in the continuation of next().
  ~CollectReader();
  CollectReader(const CollectReader&) = delete;
  CollectReader& operator=(const CollectReader&) = delete;

  // The next rows, serialised; nothing at the end. Fails as the job does, or with an Error if the
  // worker is lost.
  Future<std::optional<std::string>> next();

 private:
  class Connection;
  std::shared_ptr<Connection> connection_;
};

}  // namespace freshet::core
