// One end of a link, without the network: what is to be sent again, what has arrived, who waits for
// an answer, and the handlers' turn. links.cpp brings it together with connections.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "links/envelope.h"
#include "links/link.h"
#include "links/link_typed.h"
#include "security/peer_log.h"

namespace freshet::core {

// The network of a link's end: Links::State. Every call is allowed in every state.
class LinkNetwork {
 public:
  virtual ~LinkNetwork() = default;
  virtual ControlThread& thread() = 0;
  virtual Transport& transport() = 0;
  virtual const LinkOptions& options() = 0;
  virtual PeerLog& refusals() = 0;
  // The link is over and sends nothing more.
  virtual void link_ended(class LinkEnd& link) = 0;
  // Nothing more is called for it: may be freed.
  virtual void link_done(class LinkEnd& link) = 0;
};

class LinkEnd final : public Link, public std::enable_shared_from_this<LinkEnd> {
 public:
  LinkEnd(LinkNetwork& network, std::uint64_t number, bool dialer, PeerInfo peer,
          const MessageTable& table, LinkListener& listener);
  ~LinkEnd() override;

  const PeerInfo& peer() const override { return peer_; }
  bool is_open() const override { return opened_ && !over_; }
  bool replaced() const override { return replaced_; }
  bool peer_left() const override { return peer_left_; }
  void close(const std::string& reason) override;

  std::uint64_t number() const { return number_; }
  bool dialer() const { return dialer_; }
  bool over() const { return over_; }
  ConnectionId connection() const { return connection_; }
  std::uint64_t received() const { return received_; }
  // The dialer: of the last hello sent. The listener: of the last one taken.
  std::uint64_t attempt() const { return attempt_; }
  void set_attempt(std::uint64_t attempt) { attempt_ = attempt; }

  // Frames go by this connection from now on; not before established().
  void use(ConnectionId connection) { connection_ = connection; }
  // From the listener's welcome; not taken if it makes no sense.
  void keep_to(std::int64_t heartbeat_interval_ms, std::int64_t heartbeat_timeout_ms);
  // The other side says that another process has taken this one's place.
  void set_replaced() { replaced_ = true; }
  void set_peer_left() { peer_left_ = true; }
  // The hello has been exchanged: the peer has all up to `received`, and is sent what follows.
  void established(const PeerInfo& peer, std::uint64_t received);
  void connection_broke(const std::string& reason);
  // Gives up unless it is open within that time.
  void limit_opening(std::int64_t patience_ms);
  // Of the types that follow the hello.
  void take(std::string bytes, const Frame& frame);
  // `replaced` is what the other side is told.
  void lose(const std::string& reason, bool replaced = false);
  void send_frame(FrameType type, const std::string& body);
  // The network goes away: nothing is called any more.
  void cut_off();

 protected:
  void send_bytes(const char* kind, std::string body) override;
  Future<std::string> ask_bytes(const char* kind, std::string body,
                                std::int64_t deadline_ms) override;

 private:
  struct Sent {
    std::uint64_t sequence;
    std::string bytes;
  };
  struct Waiting {
    Promise<std::string> answer;
    TimerId deadline = 0;
    std::string kind;
  };
  struct Turn {
    enum class Kind { opened, message, lost } kind;
    std::string bytes;  // of the frame; the reason
    Envelope envelope;
    std::size_t body_at = 0;
  };

  void queue(FrameType type, const char* kind, std::uint64_t request, bool error,
             std::string_view body);
  void transmit(const Sent& sent);
  void send_again(std::uint64_t after);
  void acknowledged(std::uint64_t sequence);
  std::uint64_t handled() const;
  std::uint64_t tell_handled();
  void has_handled(std::size_t bytes);
  void ask_for_missing();
  void send_heartbeat();
  void beat(std::int64_t was_due_ns);
  void schedule_beat();
  void stop_timers();
  void end(const std::string& why);
  void finish_request(std::uint64_t request, bool error, std::string_view body);
  void answer(std::uint64_t request, bool ok, const std::string& body);
  void send_answer(std::uint64_t request, bool ok, const std::string& body);
  MessageTable::Reply reply_to(std::uint64_t request);
  void add_turn(Turn turn);
  void run_turns();
  void handle(Turn& turn);
  void refuse(std::string line);
  TimerId after(std::int64_t milliseconds, const char* name, void (LinkEnd::*function)());
  void grace_is_over();
  void patience_is_over();

  LinkNetwork* network_;
  const std::uint64_t number_;
  const bool dialer_;
  PeerInfo peer_;
  const MessageTable& table_;
  LinkListener& listener_;

  ConnectionId connection_ = 0;
  bool established_ = false;
  bool opened_ = false;
  bool over_ = false;
  bool replaced_ = false;
  bool peer_left_ = false;
  std::int64_t interval_ms_, timeout_ms_;  // of heartbeats
  std::uint64_t attempt_ = 0;
  std::string last_break_;  // why the connection is down
  std::int64_t patience_ms_ = 0;

  std::uint64_t last_sequence_ = 0;  // given to a frame
  std::uint64_t transmitted_ = 0;    // the highest that was handed to a connection
  std::deque<Sent> unacknowledged_;
  std::size_t unacknowledged_bytes_ = 0;
  std::uint64_t received_ = 0;  // the last number
  std::uint64_t told_ = 0;      // the last acknowledgement that the peer was sent
  std::size_t untold_bytes_ = 0;
  std::uint64_t asked_for_ = 0;  // the number behind received_ that a kResend asked for

  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
  std::deque<Turn> turns_;
  bool runs_turns_ = false;
  bool logged_role_ = false;  // that it has sent what its role may not

  std::int64_t last_heard_ns_ = 0;
  TimerId beat_timer_ = 0, grace_timer_ = 0, patience_timer_ = 0;
};

}  // namespace freshet::core
