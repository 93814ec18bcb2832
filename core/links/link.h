// Typed messages between two processes: in order, each once, as long as both live and find each
// other again within the timeout, whatever their connections do meanwhile.
//
// A link begins with a hello, which names protocol version, role and this very incarnation of the
// process, and is resumed by the same hello after a connection broke: both sides then send again
// what the other has not acknowledged. It is lost, once and for good, when the peer has ended or
// restarted (another incarnation, which its next hello tells), when the connection is gone and does
// not come back within `reconnect_grace`, or when nothing came for `timeout` although a heartbeat
// goes out every `interval`. Whatever a role knows of a lost peer it learns anew.
//
// Begin here. messages.h has the messages, envelope.h their form on the wire and its limits,
// transport.h what carries them.
//
// Threads    The control thread. Handlers of one link run one at a time, in order, each link in a
//            fiber of its own: one that waits holds up that link alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/error.h"
#include "freshet/future.h"
#include "network/transport.h"

namespace freshet::core {

struct LinkOptions {
  // Of the side that listens: the other one learns them from it and keeps to them.
  std::int64_t heartbeat_interval_ms = 1'000;  // heartbeat.interval
  std::int64_t heartbeat_timeout_ms = 5'000;   // heartbeat.timeout
  std::int64_t reconnect_grace_ms = 500;
  // A link whose peer leaves more than that unacknowledged, since it is away or its handlers stand
  // still, is lost: memory is bounded on both sides.
  std::size_t most_unacknowledged_bytes = std::size_t{256} << 20;
  // Seeded bug: what a broken connection lost is not sent again. The simulation's tests switch it
  // on to show that they find it.
  bool test_never_resend = false;
};

struct PeerInfo {
  Role role = Role::kClient;
  std::string name;         // for people: "task manager 2 (pid 4711)"
  std::string incarnation;  // 32 hex digits, new for each start of a process
  PublicKey key;            // proved, and admitted for this role; empty on ipc
};

// The other side refused or failed; its words.
class FRESHET_API RemoteError : public Error {
 public:
  using Error::Error;
  ~RemoteError() override;
};
// The link was lost before the answer came: whether the request was carried out is not known.
class FRESHET_API LinkLost : public Error {
 public:
  using Error::Error;
  ~LinkLost() override;
};

class Link;

// Which messages a role understands. f(Link&, M) returns M::Answer, or Future<M::Answer> for one
// that takes longer; messages without Answer return void. What f throws is the answer's error: an
// InvalidInput arrives as InvalidInput, a NotKnown as NotKnown, all else as RemoteError. A kind that is not in the table,
// or that the peer's role may not send (M::kFrom), is answered with an error that names it, and
// logged.
class FRESHET_API MessageTable {
 public:
  template <class M, class F>
  void on(F f);

  // In the link's fiber; `reply` is called once, unless the message has no answer.
  using Reply = std::function<void(bool ok, std::string body)>;
  using Handler = std::function<void(Link&, std::string_view body, Reply reply)>;
  struct Entry {
    Senders from;
    Handler handler;
  };
  const Entry* find(std::string_view kind) const;

 private:
  void add(const char* kind, Senders from, Handler handler);
  std::map<std::string, Entry, std::less<>> handlers_;
};

class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void link_opened(Link& link) = 0;  // the hello has been exchanged; once
  // Once; the link is invalid when this returns. Open requests have failed with LinkLost.
  virtual void link_lost(Link& link, const std::string& reason) = 0;
};

class FRESHET_API Link {
 public:
  virtual ~Link();
  virtual const PeerInfo& peer() const = 0;
  virtual bool is_open() const = 0;
  // In link_lost(): whether it is lost since another process, of the same role, name and key, has
  // come to the other side. Whoever connects again then takes the place from that one.
  virtual bool replaced() const = 0;
  // In link_lost(): whether the other side has ended it by close(), or by its own end. One that has
  // lost the link, as nothing came for the timeout, may come back by another one.
  virtual bool peer_left() const = 0;
  // Says goodbye: the other side is told link_lost("closed: <reason>") at once.
  virtual void close(const std::string& reason) = 0;

  // May be called before the link is open: they go out then. Dropped once it is lost. Throws
  // InvalidInput if the message is above the limit of a frame.
  template <class M>
  void send(const M& message);
  // Fails with RemoteError, InvalidInput, LinkLost, or after the deadline (0: none) with Error. The
  // answer is there as soon as it has come, also before messages that came earlier are handled: so
  // a handler may wait for it.
  template <class M>
  Future<typename M::Answer> ask(const M& message, std::int64_t deadline_ms = 0);

 protected:
  virtual void send_bytes(const char* kind, std::string body) = 0;
  virtual Future<std::string> ask_bytes(const char* kind, std::string body,
                                        std::int64_t deadline_ms) = 0;
};

// All links of one process in one role.
class FRESHET_API Links {
 public:
  // Everything outlives the links. `self` is told to every peer.
  Links(ControlThread& thread, Transport& transport, PeerInfo self, LinkOptions options);
  // Closes what is open. [control thread]
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Peers that come in are served by `table` and told to `listener`. Throws InvalidInput, as
  // Transport::listen() and connect() do.
  Address listen(const std::string& endpoint, const MessageTable& table, LinkListener& listener);
  // The link belongs to `this` and is valid until link_lost() or close() has returned. Tries until
  // it is open; `patience_ms` bounds that (0: for ever), and link_lost() tells of its end.
  Link& connect(const Address& to, const MessageTable& table, LinkListener& listener,
                std::int64_t patience_ms);
  const LinkOptions& options() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace freshet::core

#include "links/link_typed.h"
