#include "client/client_session.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <string_view>
#include <vector>

#include "control/alive.h"
#include "rare_paths/rare_paths.h"
#include "task/forked_child.h"
#include "task/shared_end.h"

namespace freshet::core {
namespace {

bool waits_for_an_end(std::string_view kind) {
  return kind == AwaitJob::kKind || kind == AwaitApplication::kKind;
}

}  // namespace

RecordsLost::~RecordsLost() = default;

class ClientSession::Inner final : public std::enable_shared_from_this<Inner>,
                                   private LinkListener {
 public:
  struct Request {
    const char* kind;
    Repeat repeat;
    Send send;
    Fail fail;
    std::shared_ptr<ClientSession> session;
    bool under_way = false;
    std::string sent_to{};  // incarnation of the job manager that was asked first
  };

  Inner(ControlThread& its_thread, Links& links, ClientSessionOptions options)
      : thread(its_thread), links_(links), options_(std::move(options)) {
    table_.on<Event>([this](Link&, const Event& message) {
      // It may let go of the client, which lets go of it.
      if (const auto listener = listener_) listener->on_event(message.event);
    });
    table_.on<ClusterEnds>([this](Link&, const ClusterEnds& message) {
      ended_ = message.reason.empty() ? "it says so" : message.reason;
      return Done{};
    });
  }

  const ClientSessionOptions& options() const { return options_; }
  bool closed() const { return closed_; }

  // The rest on the control thread.

  void add(Request request) {
    if (closed_) {
      request.fail(std::make_exception_ptr(ClusterUnreachable(
          std::string("'") + request.kind + "' can't be asked: the client has ended")));
      return;
    }
    const std::uint64_t number = ++last_request_;
    Request& added = requests_.emplace(number, std::move(request)).first->second;
    if (open_) {
      send(number, added);
    } else {
      if (gave_up_) begin_to_wait();
      connect();
    }
  }

  void listen(std::shared_ptr<ClusterListener> listener) {
    listener_ = std::move(listener);
    if (open_) subscribe();
    connect();
  }

  std::exception_ptr meant_by(const NotKnown& not_known) {
    if (options_.keeps_jobs || link_ == nullptr || link_->peer().incarnation == came_to_)
      return std::make_exception_ptr(not_known);
    return records_lost(std::string(not_known.what()) +
                        ", which was after it was submitted: its result is unknown");
  }
  bool has_lost_records() const { return has_lost_records_; }

  void connect() {
    if (closed_ || link_) return;
    if (!waits_since_ns_) begin_to_wait();
    const Address address = options_.job_manager();
    if (address.endpoint.empty()) {
      look_again();
      return;
    }
    looked_at_ = address.endpoint;
    LinkListener& listener = *this;
    // One that comes back may be somewhere else: it is looked for anew every second.
    constexpr std::int64_t kPatienceMs = 1'000;
    link_ = &links_.connect(address, table_, listener, kPatienceMs);
  }

  void close() {
    if (closed_.exchange(true)) return;
    alive_.end();
    if (patience_) thread.cancel(*patience_);
    if (again_) thread.cancel(*again_);
    if (link_) link_->close("the client has what it wanted");
    link_ = nullptr;
    open_ = false;
    listener_.reset();
    std::map<std::uint64_t, Request> failed;
    failed.swap(requests_);
    for (auto& [number, request] : failed) {
      request.fail(std::make_exception_ptr(ClusterUnreachable(
          std::string("'") + request.kind + "' was not answered: the client has ended")));
    }
  }

  ControlThread& thread;

 private:
  std::exception_ptr records_lost(const std::string& text) {
    has_lost_records_ = true;
    return std::make_exception_ptr(RecordsLost(text));
  }

  void link_opened(Link& link) override {
    const auto self = shared_from_this();  // what fails here may let go of the client
    open_ = true;
    waits_since_ns_.reset();
    ended_.clear();
    if (came_to_.empty()) came_to_ = link.peer().incarnation;
    if (patience_) thread.cancel(*patience_);
    patience_.reset();
    if (listener_) subscribe();
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, request] : requests_) numbers.push_back(number);
    for (const std::uint64_t number : numbers) {
      const auto found = requests_.find(number);
      if (found == requests_.end() || !open_) continue;
      Request& request = found->second;
      const bool once = request.repeat == Repeat::kSameJobManager ||
                        (request.repeat == Repeat::kKeptJobs && !options_.keeps_jobs);
      if (once && !request.sent_to.empty() && request.sent_to != link.peer().incarnation) {
        auto lost = requests_.extract(found);
        lost.mapped().fail(records_lost(
            "the job manager of cluster '" + options_.cluster_id + "' has restarted during '" +
            lost.mapped().kind +
            "', and keeps no records of what ran before: what was submitted is gone with it, and "
            "its result is unknown; submit it again if it may run twice"));
      } else {
        send(number, request);
      }
    }
  }

  void link_lost(Link&, const std::string& reason) override {
    link_ = nullptr;
    open_ = false;
    last_reason_ = reason;
    if (closed_) return;
    for (auto& [number, request] : requests_) request.under_way = false;
    if (!waits_since_ns_) begin_to_wait();
    look_again();
  }

  void look_again() {
    constexpr std::int64_t kPauseMs = 20;
    if (again_) thread.cancel(*again_);
    const bool late = takes_rare_path(RarePath::kClientLooksLate);
    again_ =
        thread.after_ms(late ? 20 * kPauseMs : kPauseMs, "client: look again", alive_.guard([this] {
          again_.reset();
          connect();
        }));
  }

  void begin_to_wait() {
    waits_since_ns_ = thread.clock().now_ns();
    gave_up_ = false;
    if (patience_) thread.cancel(*patience_);
    patience_ = thread.after_ms(options_.patience_ms, "client: patience",
                                alive_.guard([this] { give_up(); }));
  }

  void give_up() {
    patience_.reset();
    gave_up_ = true;
    if (!ended_.empty()) {
      fail_all("cluster '" + options_.cluster_id + "' has ended: " + ended_);
      return;
    }
    const std::string where =
        looked_at_.empty() ? "none has told where it listens" : "looked for at " + looked_at_;
    fail_all("no job manager of cluster '" + options_.cluster_id + "' answered within " +
             std::to_string(options_.patience_ms) + " ms: " + where +
             (last_reason_.empty() ? "" : " (" + last_reason_ + ")"));
  }

  // Who hears of it may let go of the client.
  void fail_all(const std::string& reason) {
    const auto self = shared_from_this();
    std::map<std::uint64_t, Request> failed;
    failed.swap(requests_);
    for (auto& [number, request] : failed) {
      request.fail(std::make_exception_ptr(ClusterUnreachable(
          reason + (waits_for_an_end(request.kind)
                        ? ": how it has ended is not known, a part of its output may be visible"
                        : ""))));
    }
  }

  void send(std::uint64_t number, Request& request) {
    if (request.under_way) return;
    request.under_way = true;
    if (request.sent_to.empty()) request.sent_to = link_->peer().incarnation;
    const Send send = request.send;  // the request may end within the call
    send(*link_, [weak = weak_from_this(), number](bool over) {
      const auto inner = weak.lock();
      if (!inner || !over) return;
      const auto done = inner->requests_.extract(number);
      if (done.empty()) return;
      // Its copy of the session may be the last one: not within our own call.
      inner->thread.post(
          "client: answered",
          [session = std::move(done.mapped().session)]() mutable { session.reset(); });
    });
  }

  void subscribe() {
    const auto ignored = link_->ask(Subscribe{}).then([](const Future<Done>& done) {
      const std::string error = error_of(done);
      if (!error.empty()) spdlog::debug("a subscription ends: {}", error);
    });
    static_cast<void>(ignored);
  }

  Links& links_;
  const ClientSessionOptions options_;
  MessageTable table_;
  Link* link_ = nullptr;
  std::atomic<bool> closed_{false};  // then neither thread nor links are touched any more
  std::atomic<bool> has_lost_records_{false};
  std::string came_to_;  // incarnation of the first job manager
  bool open_ = false, gave_up_ = false;
  std::map<std::uint64_t, Request> requests_;
  std::uint64_t last_request_ = 0;
  std::optional<std::int64_t> waits_since_ns_;  // without a link
  std::optional<TimerId> patience_, again_;
  std::string looked_at_, last_reason_;
  std::string ended_;  // why the cluster has ended, as it has said; empty: it has not
  std::shared_ptr<ClusterListener> listener_;
  Alive alive_;
};

std::shared_ptr<ClientSession> ClientSession::start(ControlThread& thread, Links& links,
                                                    ClientSessionOptions options) {
  auto owner = std::move(options.owner);
  const auto inner = std::make_shared<Inner>(thread, links, std::move(options));
  thread.post("client: connect", [inner] { inner->connect(); });
  return std::shared_ptr<ClientSession>(new ClientSession(inner, std::move(owner)));
}

ClientSession::ClientSession(std::shared_ptr<Inner> inner, std::shared_ptr<void> owner)
    : inner_(std::move(inner)), owner_(std::move(owner)) {}

ClientSession::~ClientSession() {
  if (is_forked_child()) {
    // Kept for good: the threads that it would wait for are not here.
    static_cast<void>(new auto(inner_));
    static_cast<void>(new auto(std::move(owner_)));
    return;
  }
  if (inner_->closed()) return;
  if (inner_->thread.is_current()) {
    inner_->close();
    return;
  }
  Promise<void> closed;
  const auto done = closed.future();
  inner_->thread.post("client: close", [inner = inner_, closed = std::move(closed)]() mutable {
    inner->close();
    closed.set_value();
  });
  // A network thread can't wait: the control thread may need it to close.
  if (on_runtime_thread() && !detail::suspender()) return;
  try {
    done.wait();
  } catch (const Canceled&) {
    // The fiber that let go of the client is canceled; the session closes all the same.
  }
}

void ClientSession::close() { inner_->close(); }

const std::string& ClientSession::cluster_id() const { return inner_->options().cluster_id; }

bool ClientSession::has_lost_records() const { return inner_->has_lost_records(); }

std::exception_ptr ClientSession::meant_by(const NotKnown& not_known,
                                           const std::weak_ptr<Inner>& inner) {
  const auto held = inner.lock();
  return held ? held->meant_by(not_known) : std::make_exception_ptr(not_known);
}

void ClientSession::add(const char* kind, Repeat repeat, Send send, Fail fail) {
  if (auto refusal = refusal_in_forked_child("cluster '" + cluster_id() + "' can't be reached"))
    return fail(std::move(refusal));
  inner_->thread.post(
      std::string("client: ") + kind,
      [inner = inner_, request = Inner::Request{kind, repeat, std::move(send), std::move(fail),
                                                shared_from_this()}]() mutable {
        inner->add(std::move(request));
      });
}

void ClientSession::listen(std::shared_ptr<ClusterListener> listener) {
  if (is_forked_child()) return;  // nobody is there to call it
  inner_->thread.post("client: listen", [inner = inner_, listener = std::move(listener)]() mutable {
    inner->listen(std::move(listener));
  });
}

}  // namespace freshet::core
