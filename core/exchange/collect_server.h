// Sends the rows that collecting operators have for clients: as many messages as a client has room
// for, so that a slow one holds its operator back and nothing is kept elsewhere.
//
// Threads    The network thread, except where it says otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "exchange/data_plane.h"
#include "exchange/result_queue.h"
#include "freshet/api.h"

namespace freshet::core {

class FRESHET_API CollectServer {
 public:
  using OnLost = std::function<void(const std::string& vertex)>;
  // `lost` hears of a client that went before the end. [network thread]
  CollectServer(DataPlane& plane, OnLost lost);
  ~CollectServer();

  // Throws InvalidInput: another client reads them. The queue outlives the server.
  void joined(ReaderId reader, const DataHello& hello, ResultQueue& queue);
  void message(ReaderId reader, DataKind kind, std::string_view message);
  void left(ReaderId reader);

  // Sends the little that is left in queues that have ended, to clients with room for it or not.
  void send_the_rest();

  // Until clients have read `vertices` queues to the end, or stop() is called. [any other thread]
  void wait_for_readers(std::size_t vertices);
  // [any thread]
  void stop();

 private:
  struct Reading;
  static void pump(const std::shared_ptr<Reading>& reading);
  void drop(ReaderId reader);

  DataPlane& plane_;
  const OnLost lost_;
  std::map<ReaderId, std::shared_ptr<Reading>> readings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t done_ = 0;
  bool stopped_ = false;
};

}  // namespace freshet::core
