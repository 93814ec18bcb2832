#include "job_master/committing.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "bounds/bounds.h"
#include "bounds/failure_text.h"
#include "freshet/duration.h"

namespace freshet::core {
namespace {

bool is_link_lost(const Future<CommitPrepared::Answer>& answer) {
  try {
    static_cast<void>(answer.get());
  } catch (const LinkLost&) {
    return true;
  } catch (...) {
  }
  return false;
}

constexpr std::int64_t kMostEndMs = 60'000;  // that a killed worker may take

}  // namespace

Committing::Committing(Attempt::Services services, const JobPlan& plan,
                       std::vector<Committable> committables, Attempt* attempt,
                       std::function<std::uint32_t()> next_number, CommittingListener& listener)
    : services_(services),
      plan_(plan),
      progress_(plan.graph(), std::move(committables)),
      attempt_(attempt),
      next_number_(std::move(next_number)),
      listener_(listener) {}

Committing::~Committing() {
  alive_.end();
  for (const auto& timer : {deadline_, again_}) {
    if (timer) services_.thread.cancel(*timer);
  }
  if (!own_) return;
  services_.resources.give_up(holder());
  if (own_->slot) services_.task_managers.abandon(own_->id);
}

void Committing::start() {
  const Duration patience = plan_.configuration().get(options::kExecutionCommitTimeout);
  const std::string within =
      "within " + ConfigValue<Duration>::format(patience) + " (execution.commit-timeout)";
  deadline_ = services_.thread.after_ms(patience.ns() / 1'000'000, "commit timeout",
                                        alive_.guard([this, within] { give_up(within); }));
  round();
}

// ---- asking workers -----------------------------------------------------------------------------

void Committing::round() {
  if (over_) return;
  // In the order of the committables: addresses of links differ from run to run.
  std::vector<std::pair<Link*, std::vector<std::size_t>>> asks;
  for (const std::size_t place : progress_.open()) {
    const Committable& each = progress_.at(place);
    Link* link = attempt_ ? attempt_->link_for(each.vertex, each.subtask) : nullptr;
    if (!link && own_) link = own_->link;
    if (!link) {  // then there is none for the others either, because any worker can commit
      if (!own_) start_worker();
      return;
    }
    auto of_link = std::find_if(asks.begin(), asks.end(),
                                [link](const auto& ask) { return ask.first == link; });
    if (of_link == asks.end()) of_link = asks.insert(asks.end(), {link, {}});
    of_link->second.push_back(place);
  }
  asking_ = asks.size() + 1;
  for (auto& [link, places] : asks) ask(*link, std::move(places), !own_ || link != own_->link);
  if (--asking_ == 0) end_round();
}

void Committing::ask(Link& link, std::vector<std::size_t> places, bool deployed) {
  CommitPrepared message;
  if (!deployed) message.job_graph = plan_.bytes();
  for (const std::size_t place : places) message.committables.push_back(progress_.at(place));
  alive_.on_done(link.ask(message),
                 [this, places = std::move(places)](const Future<CommitPrepared::Answer>& answer) {
                   answered(places, answer);
                 });
}

void Committing::answered(const std::vector<std::size_t>& places,
                          const Future<CommitPrepared::Answer>& answer) {
  const std::string error = error_of(answer);
  const bool is_lost = is_link_lost(answer);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!error.empty() && !is_lost) {  // it lives, and could not begin
      progress_.note(places[i], {false, false, error});
      continue;
    }
    if (is_lost) {
      const std::string lost = fails_ ? "its commit() had not returned, so its worker was stopped"
                                      : "the worker that was to commit it is lost: " + error;
      spdlog::warn("job '{}': an output is not committed: {}", plan_.graph().name, lost);
      progress_.note_lost(places[i], lost);
      continue;
    }
    CommitOutcome outcome;
    const auto& outcomes = answer.get().outcomes;
    outcome.text = "the worker has not told of it";
    if (i < outcomes.size()) outcome = outcomes[i];
    outcome.text = cut_to(kMostMessageBytes, std::move(outcome.text));  // no worker is trusted
    if (!outcome.committed) {
      spdlog::warn("job '{}': an output is not committed: {}", plan_.graph().name, outcome.text);
    }
    progress_.note(places[i], outcome);
  }
  if (--asking_ == 0) end_round();
}

void Committing::note(const OutputCommitted& output) {
  progress_.note_committed(output.vertex, output.subtask, output.text);
}

void Committing::end_round() {
  if (over_) {
    settle();
  } else if (progress_.done()) {
    succeed();
  } else if (progress_.refused()) {
    give_up("for good");
  } else {
    again();
  }
}

void Committing::again() {
  if (over_ || again_) return;
  listener_.commit_changed();
  again_ =
      services_.thread.after_ms(progress_.next_pause_ms(), "commit again", alive_.guard([this] {
        again_.reset();
        round();
      }));
}

// ---- its end ------------------------------------------------------------------------------------

void Committing::begin_to_end() {
  over_ = true;
  for (auto* timer : {&deadline_, &again_}) {
    if (*timer) services_.thread.cancel(**timer);
    timer->reset();
  }
  if (own_ && !own_->slot) {
    services_.resources.give_up(holder());
    own_.reset();
  }
}

void Committing::succeed() {
  begin_to_end();
  if (own_ && own_->link) {
    own_->link->send(EndWorker{});
  } else if (own_) {
    services_.task_managers.stop(own_->id);
  }
  listener_.committed();
}

void Committing::give_up(const std::string& why) {
  if (over_) return;
  fails_ = why;
  if (!own_failed_.empty()) *fails_ += ", its last worker " + own_failed_;
  begin_to_end();
  if (own_) services_.task_managers.stop(own_->id);
  if (attempt_) attempt_->stop();
  listener_.commit_changed();
  // A process that waits for a dead disk does not even end when it is killed.
  deadline_ =
      services_.thread.after_ms(kMostEndMs, "end of committing workers", alive_.guard([this] {
        deadline_.reset();
        for (const std::size_t place : progress_.open()) {
          progress_.note_lost(place, "its worker could not be stopped");
        }
        fail();
      }));
  settle();
}

// One whose connection is lost may still commit: so it is their ends that are waited for.
void Committing::settle() {
  if (!fails_ || asking_ > 0 || own_ || (attempt_ && !attempt_->gone())) return;
  fail();
}

void Committing::fail() {
  if (deadline_) services_.thread.cancel(*std::exchange(deadline_, std::nullopt));
  const std::string why = *std::exchange(fails_, std::nullopt);
  listener_.commit_failed(progress_.failure(why));
}

std::string Committing::detail() const {
  if (fails_) return "its commit has failed, its workers are being stopped";
  if (own_ && !own_->slot) return "its commit waits for a slot: " + services_.resources.shortage(1);
  return progress_.detail();
}

// ---- a worker of its own ------------------------------------------------------------------------

std::string Committing::holder() const {
  return own_->id.job + "/" + std::to_string(own_->id.attempt);
}

void Committing::start_worker() {
  own_ = Own{{plan_.graph().id, next_number_(), 0}, std::nullopt, nullptr};
  services_.resources.request(
      holder(), 1, plan_.configuration().get(options::kSlotPlacement),
      alive_.guard([this](std::vector<SlotId> slots) { granted(std::move(slots)); }));
  if (own_ && !own_->slot) listener_.commit_changed();
}

void Committing::granted(std::vector<SlotId> slots) {
  own_->slot = std::move(slots.front());
  StartWorker message;
  message.worker = own_->id;
  message.job_name = plan_.graph().name;
  message.slots = 1;
  message.one_host = true;
  message.modules = plan_.shipped();
  message.settings = plan_.graph().settings;
  services_.task_managers.start(own_->slot->task_manager, std::move(message), *this);
}

void Committing::worker_ready(std::uint32_t, Link& link, const Address&) {
  own_->link = &link;
  if (over_) {
    services_.task_managers.stop(own_->id);
  } else if (asking_ == 0 && !again_) {
    round();
  }
}

void Committing::worker_lost(std::uint32_t) {
  own_->link = nullptr;
  services_.task_managers.stop(own_->id);
}

void Committing::worker_ended(std::uint32_t, FailureInfo how, Blame) {
  services_.resources.release(holder(), *own_->slot);
  own_.reset();
  own_failed_ = FailureText::split(how.message).text;
  if (fails_) {
    settle();
  } else if (over_) {
    listener_.commit_gone();
  } else if (asking_ == 0) {
    again();
  }
}

}  // namespace freshet::core
