#include "links/link_state.h"

#include <algorithm>

#include "links/packing.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {
namespace {

// The peer is told what has arrived at the latest after so much of it.
constexpr std::uint64_t kMostUntold = 64;
constexpr std::size_t kMostUntoldBytes = std::size_t{256} << 10;

}  // namespace

LinkEnd::LinkEnd(LinkNetwork& network, std::uint64_t number, bool dialer, PeerInfo peer,
                 const MessageTable& table, LinkListener& listener)
    : network_(&network),
      number_(number),
      dialer_(dialer),
      peer_(std::move(peer)),
      table_(table),
      listener_(listener),
      interval_ms_(network.options().heartbeat_interval_ms),
      timeout_ms_(network.options().heartbeat_timeout_ms) {}

LinkEnd::~LinkEnd() = default;

TimerId LinkEnd::after(std::int64_t milliseconds, const char* name, void (LinkEnd::*function)()) {
  return network_->thread().after_ms(milliseconds, name, [weak = weak_from_this(), function] {
    if (auto link = weak.lock(); link && !link->over_) (link.get()->*function)();
  });
}

void LinkEnd::limit_opening(std::int64_t patience_ms) {
  patience_ms_ = patience_ms;
  patience_timer_ = after(patience_ms, "patience", &LinkEnd::patience_is_over);
}

void LinkEnd::patience_is_over() {
  if (opened_) return;
  lose("no answer from " + peer_.name + " within " + std::to_string(patience_ms_) + " ms" +
       (last_break_.empty() ? "" : ": " + last_break_));
}

void LinkEnd::keep_to(std::int64_t heartbeat_interval_ms, std::int64_t heartbeat_timeout_ms) {
  constexpr std::int64_t kLongestMs = std::int64_t{1'000} * 60 * 60 * 24 * 36'500;
  if (heartbeat_interval_ms <= 0 || heartbeat_timeout_ms <= heartbeat_interval_ms ||
      heartbeat_timeout_ms > kLongestMs) {
    return;
  }
  interval_ms_ = heartbeat_interval_ms;
  timeout_ms_ = heartbeat_timeout_ms;
}

void LinkEnd::established(const PeerInfo& peer, std::uint64_t received) {
  ControlThread& thread = network_->thread();
  established_ = true;
  last_heard_ns_ = thread.clock().now_ns();
  asked_for_ = 0;
  thread.cancel(std::exchange(grace_timer_, 0));
  thread.cancel(std::exchange(patience_timer_, 0));
  if (!opened_) {
    opened_ = true;
    peer_ = peer;
    add_turn({Turn::Kind::opened, {}, {}, 0});
  }
  acknowledged(received);
  send_again(network_->options().test_never_resend ? std::max(transmitted_, received) : received);
  if (!beat_timer_) schedule_beat();
}

void LinkEnd::connection_broke(const std::string& reason) {
  last_break_ = reason;
  established_ = false;
  if (over_ || !opened_ || grace_timer_) return;
  network_->thread().cancel(std::exchange(beat_timer_, 0));
  const std::int64_t grace_ms = network_->options().reconnect_grace_ms;
  grace_timer_ = after(takes_rare_path(RarePath::kGraceCutShort) ? grace_ms / 2 : grace_ms,
                       "reconnect grace", &LinkEnd::grace_is_over);
}

void LinkEnd::grace_is_over() {
  lose("the connection broke and did not come back within " +
       std::to_string(network_->options().reconnect_grace_ms) + " ms: " + last_break_);
}

void LinkEnd::schedule_beat() {
  const std::int64_t now = network_->thread().clock().now_ns();
  const std::int64_t due =
      std::max(now + 1'000'000,
               std::min(now + interval_ms_ * 1'000'000, last_heard_ns_ + timeout_ms_ * 1'000'000));
  beat_timer_ = network_->thread().at(due, "heartbeat", [weak = weak_from_this(), due] {
    if (auto link = weak.lock(); link && !link->over_) link->beat(due);
  });
}

void LinkEnd::beat(std::int64_t was_due_ns) {
  if (!established_) {
    beat_timer_ = 0;
    return;
  }
  const std::int64_t now = network_->thread().clock().now_ns();
  const std::int64_t interval_ns = interval_ms_ * 1'000'000;
  const std::int64_t timeout_ns = timeout_ms_ * 1'000'000;
  // A process that stood still can't blame its peer: what came meanwhile is still to be read.
  if (now - was_due_ns > interval_ns) {
    last_heard_ns_ = std::max(last_heard_ns_, now - timeout_ns + interval_ns);
  }
  if (now - last_heard_ns_ >= timeout_ns) {
    passes_rare_path(RarePath::kNothingHeard);
    lose("nothing came for " + std::to_string(timeout_ms_) + " ms (heartbeat.timeout)");
    return;
  }
  if (!takes_rare_path(RarePath::kHeartbeatLeftOut)) send_heartbeat();
  schedule_beat();
}

void LinkEnd::send_heartbeat() { send_frame(FrameType::kHeartbeat, pack_body(0)); }

void LinkEnd::send_frame(FrameType type, const std::string& body) {
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(type);
  if (type == FrameType::kHeartbeat) envelope.sequence = last_sequence_;
  envelope.acknowledgement = type == FrameType::kResend ? received_ : tell_handled();
  network_->transport().send(connection_, encode_frame(envelope, body));
}

void LinkEnd::send_bytes(const char* kind, std::string body) {
  queue(FrameType::kMessage, kind, 0, false, body);
}

Future<std::string> LinkEnd::ask_bytes(const char* kind, std::string body,
                                       std::int64_t deadline_ms) {
  if (over_) {
    return make_failed_future<std::string>(std::make_exception_ptr(LinkLost(
        "'" + std::string(kind) + "' can't be asked: the link to " + peer_.name + " is over")));
  }
  const std::uint64_t request = ++last_request_;
  Waiting waiting;
  waiting.kind = kind;
  auto answer = waiting.answer.future();
  if (deadline_ms > 0) {
    waiting.deadline = network_->thread().after_ms(
        deadline_ms, "answer overdue", [weak = weak_from_this(), request, deadline_ms] {
          auto link = weak.lock();
          if (!link) return;
          auto overdue = link->waiting_.extract(request);
          if (overdue.empty()) return;
          overdue.mapped().answer.set_error(std::make_exception_ptr(
              Error("no answer to '" + overdue.mapped().kind + "' from " + link->peer_.name +
                    " within " + std::to_string(deadline_ms) + " ms")));
        });
  }
  waiting_.emplace(request, std::move(waiting));
  try {
    queue(FrameType::kRequest, kind, request, false, body);
  } catch (const InvalidInput&) {
    finish_request(request, true, error_body(std::current_exception()));
  }
  return answer;
}

void LinkEnd::queue(FrameType type, const char* kind, std::uint64_t request, bool error,
                    std::string_view body) {
  if (over_) return;
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(type);
  envelope.kind = kind;
  envelope.sequence = last_sequence_ + 1;
  envelope.acknowledgement = handled();
  envelope.request = request;
  envelope.error = error;
  std::string bytes = encode_frame(envelope, body);
  if (bytes.size() > FrameLimits{}.bytes) {
    throw InvalidInput("a '" + std::string(kind) + "' of " + std::to_string(bytes.size()) +
                       " bytes is above the limit of a frame, " +
                       std::to_string(FrameLimits{}.bytes) + ": send it in pieces");
  }
  ++last_sequence_;
  unacknowledged_bytes_ += bytes.size();
  unacknowledged_.push_back({last_sequence_, std::move(bytes)});
  if (established_) {
    tell_handled();
    transmit(unacknowledged_.back());
  }
  const std::size_t most = network_->options().most_unacknowledged_bytes;
  if (unacknowledged_bytes_ > most) {
    lose(peer_.name + " has not acknowledged " + std::to_string(unacknowledged_bytes_) +
         " bytes, the limit is " + std::to_string(most));
  }
}

void LinkEnd::transmit(const Sent& sent) {
  transmitted_ = std::max(transmitted_, sent.sequence);
  network_->transport().send(connection_, sent.bytes);
}

void LinkEnd::send_again(std::uint64_t after) {
  for (const Sent& sent : unacknowledged_) {
    if (sent.sequence > after) transmit(sent);
  }
}

void LinkEnd::acknowledged(std::uint64_t sequence) {
  while (!unacknowledged_.empty() && unacknowledged_.front().sequence <= sequence) {
    unacknowledged_bytes_ -= unacknowledged_.front().bytes.size();
    unacknowledged_.pop_front();
  }
}

void LinkEnd::ask_for_missing() {
  if (asked_for_ == received_ + 1) return;
  asked_for_ = received_ + 1;
  send_frame(FrameType::kResend, pack_body(0));
}

void LinkEnd::take(std::string bytes, const Frame& frame) {
  const Envelope& envelope = frame.envelope;
  last_heard_ns_ = network_->thread().clock().now_ns();
  if (envelope.acknowledgement > last_sequence_) {
    lose(peer_.name + " acknowledges frame " + std::to_string(envelope.acknowledgement) + " of " +
         std::to_string(last_sequence_));
    return;
  }
  acknowledged(envelope.acknowledgement);
  switch (static_cast<FrameType>(envelope.type)) {
    case FrameType::kHeartbeat:
      if (envelope.sequence > received_ || takes_rare_path(RarePath::kFrameAskedForAgain)) {
        asked_for_ = 0;
        ask_for_missing();
      }
      return;
    case FrameType::kResend:
      if (!network_->options().test_never_resend) send_again(envelope.acknowledgement);
      return;
    case FrameType::kMessage:
    case FrameType::kRequest:
    case FrameType::kAnswer:
      break;
    default:
      return;  // of a newer release
  }
  if (envelope.sequence <= received_) return;  // sent again, but it had arrived
  if (takes_rare_path(RarePath::kFrameLost)) return;
  if (envelope.sequence > received_ + 1) {
    ask_for_missing();
    return;
  }
  ++received_;
  if (envelope.type == static_cast<std::uint8_t>(FrameType::kAnswer)) {
    finish_request(envelope.request, envelope.error, frame.body);
    has_handled(bytes.size());
  } else {
    const std::size_t body_at = bytes.size() - frame.body.size();
    add_turn({Turn::Kind::message, std::move(bytes), envelope, body_at});
  }
}

// What waits for its turn is not acknowledged: so the sender's limit bounds our memory, too.
std::uint64_t LinkEnd::handled() const {
  for (const Turn& turn : turns_) {
    if (turn.kind == Turn::Kind::message) return turn.envelope.sequence - 1;
  }
  return received_;
}

std::uint64_t LinkEnd::tell_handled() {
  untold_bytes_ = 0;
  return told_ = handled();
}

void LinkEnd::has_handled(std::size_t bytes) {
  untold_bytes_ += bytes;
  if (!established_ || over_) return;
  if (handled() - told_ >= kMostUntold || untold_bytes_ >= kMostUntoldBytes ||
      takes_rare_path(RarePath::kAcknowledgedAtOnce)) {
    send_heartbeat();
  }
}

void LinkEnd::finish_request(std::uint64_t request, bool error, std::string_view body) {
  auto waiting = waiting_.extract(request);
  if (waiting.empty()) return;  // it was overdue
  network_->thread().cancel(waiting.mapped().deadline);
  if (error) {
    waiting.mapped().answer.set_error(error_of(body));
  } else {
    waiting.mapped().answer.set_value(body);
  }
}

void LinkEnd::answer(std::uint64_t request, bool ok, const std::string& body) {
  if (network_ && takes_rare_path(RarePath::kAnswerDelayed)) {
    constexpr std::int64_t kLateMs = 300;
    network_->thread().after_ms(kLateMs, "late answer",
                                [weak = weak_from_this(), request, ok, body] {
                                  if (auto link = weak.lock()) link->send_answer(request, ok, body);
                                });
    return;
  }
  send_answer(request, ok, body);
}

void LinkEnd::send_answer(std::uint64_t request, bool ok, const std::string& body) {
  try {
    queue(FrameType::kAnswer, "", request, !ok, body);
  } catch (const InvalidInput&) {
    queue(FrameType::kAnswer, "", request, true, error_body(std::current_exception()));
  }
}

MessageTable::Reply LinkEnd::reply_to(std::uint64_t request) {
  if (request == 0) return [](bool, const std::string&) {};
  return
      [weak = weak_from_this(), thread = &network_->thread(), request](bool ok, std::string body) {
        if (thread->is_current()) {
          if (auto link = weak.lock()) link->answer(request, ok, body);
          return;
        }
        thread->post("answer", [weak, request, ok, body = std::move(body)] {
          if (auto link = weak.lock()) link->answer(request, ok, body);
        });
      };
}

void LinkEnd::add_turn(Turn turn) {
  turns_.push_back(std::move(turn));
  if (runs_turns_) return;
  runs_turns_ = true;
  network_->thread().post("link to " + peer_.name,
                          [self = shared_from_this()] { self->run_turns(); });
}

void LinkEnd::run_turns() {
  while (!turns_.empty()) {
    Turn turn = std::move(turns_.front());
    turns_.pop_front();
    handle(turn);
    if (turn.kind == Turn::Kind::message) has_handled(turn.bytes.size());
    if (network_ && takes_rare_path(RarePath::kTurnPutOff)) {
      network_->thread().post("link to " + peer_.name,
                              [self = shared_from_this()] { self->run_turns(); });
      return;
    }
  }
  runs_turns_ = false;
}

void LinkEnd::handle(Turn& turn) {
  switch (turn.kind) {
    case Turn::Kind::opened:
      listener_.link_opened(*this);
      return;
    case Turn::Kind::lost:
      listener_.link_lost(*this, turn.bytes);
      if (network_) network_->link_done(*this);
      return;
    case Turn::Kind::message:
      break;
  }
  const std::string& kind = turn.envelope.kind;
  const auto* entry = table_.find(kind);
  const auto reply = reply_to(turn.envelope.request);
  const bool is_request = turn.envelope.request != 0;
  try {
    if (!entry) throw InvalidInput("the message '" + kind + "' is not known here");
    if (!entry->from.contains(peer_.role)) {
      const std::string refused =
          "'" + kind + "' is no message that a " + name_of(peer_.role) + " may send";
      if (is_request && !std::exchange(logged_role_, true)) {
        refuse(peer_.name + ": " + refused + " is refused");
      }
      throw InvalidInput(refused);
    }
    entry->handler(*this, std::string_view(turn.bytes).substr(turn.body_at), reply);
  } catch (const Canceled&) {
    throw;  // the process ends
  } catch (const std::exception& error) {
    if (is_request) {
      reply(false, error_body(std::current_exception()));
    } else {
      refuse("'" + kind + "' from " + peer_.name + " can't be carried out: " + error.what());
    }
  }
}

void LinkEnd::refuse(std::string line) {
  if (network_) network_->refusals().warn(std::move(line));
}

void LinkEnd::close(const std::string& reason) {
  if (over_) return;
  if (opened_) send_frame(FrameType::kGoodbye, pack_body(Refusal{reason, 0, false, true}));
  auto self = shared_from_this();
  end("closed: " + reason);
  turns_.clear();
  network_->link_done(*this);
}

void LinkEnd::lose(const std::string& reason, bool replaced) {
  if (over_) return;
  if (opened_ && established_)
    send_frame(FrameType::kGoodbye, pack_body(Refusal{reason, 0, replaced, false}));
  end(reason);
  add_turn({Turn::Kind::lost, reason, {}, 0});
}

void LinkEnd::end(const std::string& why) {
  over_ = true;
  established_ = false;
  stop_timers();
  network_->link_ended(*this);
  unacknowledged_.clear();
  unacknowledged_bytes_ = 0;
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (auto& [request, each] : waiting) {
    network_->thread().cancel(each.deadline);
    each.answer.set_error(std::make_exception_ptr(LinkLost(
        "no answer to '" + each.kind + "': the link to " + peer_.name + " is over: " + why)));
  }
}

void LinkEnd::stop_timers() {
  ControlThread& thread = network_->thread();
  for (TimerId* timer : {&beat_timer_, &grace_timer_, &patience_timer_}) {
    thread.cancel(std::exchange(*timer, 0));
  }
}

void LinkEnd::cut_off() {
  if (!over_) {
    if (opened_)
      send_frame(FrameType::kGoodbye, pack_body(Refusal{"the process ends", 0, false, true}));
    end("this process ends");
  }
  turns_.clear();
  network_ = nullptr;
}

}  // namespace freshet::core
