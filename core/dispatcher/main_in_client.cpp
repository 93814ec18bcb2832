// An application whose main runs in a client: bound to an incarnation of it and not to a link, as
// links end with every cut and every process that stands still for a while.
#include <algorithm>
#include <cassert>

#include "dispatcher/application.h"
#include "freshet/configuration.h"

namespace freshet::core {

void Application::main_is_at(Link& link, bool told) {
  assert(main_ == Main::kClient && !client_);
  client_ = Client{link.peer().incarnation, link.peer().name, told, {}, {}};
  link_opened(link);
}

void Application::main_was_at(const std::string& incarnation, const std::string& name, bool told) {
  assert(main_ == Main::kClient && !client_);
  client_ = Client{incarnation, name, told, {}, {}};
  client_is_away("another job manager leads since");
}

void Application::link_opened(Link& link) {
  if (!main_is_of(link.peer()) || has_ended()) return;
  auto& links = client_->links;
  if (std::find(links.begin(), links.end(), &link) == links.end()) links.push_back(&link);
  if (!client_->grace) return;
  stop_waiting_for_client();
  if (main_state_ != MainState::kRuns || status_ != ApplicationStatus::kRunning) return;
  client_log_.info("application '" + name_ + "' (" + id_ + "): " + client_->name + " is back");
  reason_.clear();
  listener_.application_changed(*this);
}

void Application::link_lost(Link& link, const std::string& reason) {
  if (!client_ || std::erase(client_->links, &link) == 0 || !client_->links.empty()) return;
  if (has_ended() || main_state_ != MainState::kRuns) return;
  if (!link.peer_left()) {
    client_is_away(reason);
  } else if (client_->told) {
    main_failed(client_->name + " has left and has not told how main ended");
  } else {
    main_state_ = MainState::kReturned;
    settle();
  }
}

void Application::client_is_away(const std::string& reason) {
  const std::int64_t grace_ms = services_.client_grace_ms;
  const std::string patience = ConfigValue<Duration>::format(milliseconds(grace_ms));
  client_log_.warn("application '" + name_ + "' (" + id_ + "): " + client_->name +
                   " is away, and waited for " + patience + ": " + reason);
  client_->grace = services_.thread.after_ms(
      grace_ms, "application: client", alive_.guard([this, patience, reason] {
        client_->grace.reset();
        client_is_lost(client_->name + " did not come back within " + patience +
                       " (jobmanager.client-grace): " + reason);
      }));
  if (status_ != ApplicationStatus::kRunning) return;
  reason_ = client_->name + " is away: " + reason;
  listener_.application_changed(*this);
}

void Application::client_is_lost(const std::string& reason) {
  if (has_ended() || main_state_ != MainState::kRuns) return;
  main_failed("its client is lost: " + reason);
}

void Application::stop_waiting_for_client() {
  if (!client_ || !client_->grace) return;
  services_.thread.cancel(*client_->grace);
  client_->grace.reset();
}

void Application::main_has_ended(const EndApplication& end) {
  if (has_ended() || main_state_ != MainState::kRuns) return;
  stop_waiting_for_client();
  exit_code_ = end.exit_code;
  MainEnd main;
  main.canceled = end.canceled;
  main.reason = end.reason;
  if (main.reason.empty() && end.exit_code != 0) {
    main.reason = "main exited with " + std::to_string(end.exit_code);
  }
  main.returned_zero = main.reason.empty() && !main.canceled;
  main_is_over(main);
}

}  // namespace freshet::core
