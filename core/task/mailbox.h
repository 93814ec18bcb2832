// What others tell a task: timers, completions, commands.
//
// Many put, from any thread; the owner fiber takes, in the order of arrival, between two pieces of
// its own work. So a mail runs in the task's fiber and needs no lock.
#pragma once

#include <atomic>
#include <cassert>
#include <memory>
#include <utility>

#include "freshet/detail/unique_function.h"
#include "task/waiter.h"

namespace freshet::core {

// Moved, not copied; runs at most once. Small ones need no memory beyond their place in the box.
using Mail = detail::UniqueFunction<void()>;

// The owner's waiter outlives the mailbox; nobody puts once it is being destroyed.
class Mailbox {
 public:
  explicit Mailbox(Waiter& owner) : owner_(owner) {}
  ~Mailbox() { close(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Never waits. False after close(): the mail is dropped. [any thread]
  bool put(Mail mail) {
    auto* letter = new Letter{std::move(mail), newest_.load(std::memory_order_relaxed)};
    do {
      if (letter->next == closed_mark()) {
        delete letter;
        return false;
      }
    } while (!newest_.compare_exchange_weak(letter->next, letter, std::memory_order_release,
                                            std::memory_order_relaxed));
    owner_.wake();
    return true;
  }

  // The oldest mail, or an empty one if there is none. [owner]
  Mail take() {
    if (!oldest_) fetch();
    if (!oldest_) return {};
    std::unique_ptr<Letter> letter(std::exchange(oldest_, oldest_->next));
    return std::move(letter->mail);
  }

  // [owner]
  bool empty() const noexcept {
    const Letter* newest = newest_.load(std::memory_order_acquire);
    return !oldest_ && (newest == nullptr || newest == closed_mark());
  }

  // Drops what is in it and what will come. May repeat. [owner]
  void close() noexcept {
    drop(std::exchange(oldest_, nullptr));
    Letter* rest = newest_.exchange(closed_mark(), std::memory_order_acq_rel);
    if (rest != closed_mark()) drop(rest);
  }

  Waiter& waiter() noexcept { return owner_; }

 private:
  struct Letter {
    Mail mail;
    Letter* next;
  };

  // Never read through.
  Letter* closed_mark() const noexcept {
    return reinterpret_cast<Letter*>(const_cast<Mailbox*>(this));
  }

  void fetch() noexcept {
    Letter* newest = newest_.load(std::memory_order_relaxed);
    if (newest == nullptr || newest == closed_mark()) return;
    newest = newest_.exchange(nullptr, std::memory_order_acquire);
    while (newest) oldest_ = std::exchange(newest, std::exchange(newest->next, oldest_));
  }

  static void drop(Letter* letter) noexcept {
    while (letter) delete std::exchange(letter, letter->next);
  }

  Waiter& owner_;
  Letter* oldest_ = nullptr;  // the owner's, in the order of arrival
  alignas(64) std::atomic<Letter*> newest_{nullptr};
};

}  // namespace freshet::core
