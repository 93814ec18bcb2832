#include "high_availability/leadership.h"

#include <spdlog/spdlog.h>

#include <exception>

namespace freshet::core {

Leadership::Leadership(ControlThread& thread, std::unique_ptr<HighAvailability> service,
                       std::string candidate)
    : thread_(thread),
      service_(std::move(service)),
      candidate_(std::move(candidate)),
      persistence_(thread,
                   [this](const std::string& reason) {
                     if (on_lost_) on_lost_(reason);
                   }),
      jobs_(thread, *service_, persistence_) {}

Leadership::~Leadership() {
  // No callback comes after that, so none meets what ends now.
  service_.reset();
  alive_.end();
}

void Leadership::campaign(std::function<void()> granted,
                          std::function<void(const std::string&)> lost) {
  on_granted_ = std::move(granted);
  on_lost_ = std::move(lost);
  campaigns_ = true;
  try {
    service_->election().campaign(candidate_, *this);
  } catch (...) {
    campaigns_ = false;
    throw;
  }
  campaigns_ = false;
}

void Leadership::granted(std::uint64_t term) {
  if (thread_.is_current() && campaigns_) {
    begin(term);
    return;
  }
  thread_.post("high availability: granted", alive_.guard([this, term] { begin(term); }));
}

void Leadership::begin(std::uint64_t term) {
  if (persistence_.lost() || term_ != 0) return;
  term_ = term;
  jobs_.lead(term);
  on_granted_();
}

void Leadership::revoked(std::uint64_t term, const std::string& reason) {
  thread_.post("high availability: revoked", alive_.guard([this, term, reason] {
    if (term == term_) persistence_.lose(reason);
  }));
}

void Leadership::publish(const Address& address, std::function<void()> done) {
  const LeaderAddress published{term_, candidate_, address.endpoint, address.key};
  persistence_.until_done<void>(
      "where the leader listens can't be published",
      [this, published] { return service_->election().publish(published); },
      [done = std::move(done)](const Future<void>&) { done(); });
}

void Leadership::give_up(std::function<void()> done) {
  constexpr std::int64_t kPatienceMs = 5'000;
  const auto once = std::make_shared<std::function<void()>>(std::move(done));
  const auto finish = [once] {
    if (const auto now = std::exchange(*once, nullptr)) now();
  };
  auto call = [this] { return service_->election().give_up(); };
  const Future<void> given_up = answer_of<void>(call);
  if (!given_up.ready()) {
    thread_.after_ms(kPatienceMs, "high availability: give up", alive_.guard(finish));
  }
  on_control(thread_, alive_, given_up, [finish](const Future<void>& future) {
    const std::string error = error_of(future);
    if (!error.empty()) spdlog::warn("leadership could not be given up: {}", error);
    finish();
  });
}

}  // namespace freshet::core
