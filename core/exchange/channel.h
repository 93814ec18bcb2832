// Elements from one task to one other in the same worker, in order.
//
// Begin here; ring.h is the queue inside, buffer_budget.h where batches come from.
//
// Threads    One writer fiber, one reader fiber, each pinned; of the same or of two threads.
// Waiting    push() and obtain() suspend the writer, never the thread, and throw Canceled once its
//            fiber is canceled. The reader's calls never wait: it waits on its own Waiter for all
//            of its inputs and its mailbox at once.
// Ownership  Whoever holds the pointer. Batches come from obtain() or spare() of the same channel,
//            and go home by give_back() (the reader) or discard() (the writer).
// End        After close() the reader gets what is left, then ended() is true.
//            After abandon(), push() frees its batch and returns false, a waiting one too.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "exchange/buffer_budget.h"
#include "exchange/ring.h"
#include "freshet/api.h"
#include "freshet/plugin/batch.h"
#include "task/waiter.h"

namespace freshet::core {

struct Element {
  enum class Kind : std::uint8_t {
    batch,         // batch
    watermark,     // value: milliseconds since the epoch
    end_of_input,  // nothing follows but close()
    idle,          // no watermark is to be expected until one comes
    barrier        // value: number of the checkpoint
  };
  Kind kind = Kind::batch;
  Batch* batch = nullptr;
  std::int64_t value = 0;
};

class FRESHET_API Channel {
 public:
  struct Options {
    std::uint32_t depth = 8;     // elements under way
    std::uint32_t max_rows = 0;  // of a batch; 0: as many as fit
  };
  // Waiters and budget outlive the channel.
  Channel(Waiter& writer, Waiter& reader, BufferBudget& budget, Options options);
  Channel(const RecordType& type, Waiter& writer, Waiter& reader, BufferBudget& budget,
          Options options);
  Channel(const RecordType& type, Waiter& writer, Waiter& reader, BufferBudget& budget)
      : Channel(type, writer, reader, budget, Options{}) {}
  // Both tasks are done with it. Frees what nobody read; asserts that no batch is out.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // What obtain() gives batches of: known when the writing operator has been opened. [writer]
  void set_type(const RecordType& type) noexcept { type_ = &type; }
  // Waits for room. False after abandon(). The batch is the channel's in any case, also if Canceled
  // is thrown. [writer]
  bool push(Element element);
  // Whether push() would have to wait. [writer]
  bool full() noexcept { return !abandoned() && elements_.full(); }
  // False if it would have to wait; the element then stays the caller's. True after abandon(), too.
  // [writer]
  bool try_push(const Element& element);
  // An empty batch: one that came back, or one from the budget. Waits while there is a shortage and
  // this channel has one out. [writer]
  Batch* obtain();
  // As obtain(), but never waits: nullptr while there is a shortage. The channel then stands in the
  // line of those that wait, and its writer is woken when it may try again, until it has got one,
  // leaves the line, or the channel ends. [writer]
  Batch* try_obtain();
  // Before the writer's waiter ends; may repeat. [writer]
  void leave_line() noexcept { in_line_.reset(); }
  // An empty batch that came back, or nullptr. [writer]
  Batch* spare() noexcept;
  // An obtained batch that is not to be sent. [writer]
  void discard(Batch* batch) noexcept;
  // Returns what came back to the budget, and what will come until the next obtain(): an idle
  // channel owns no memory. For a task about to wait for input. [writer]
  void trim() noexcept;
  // Once, after the last push. [writer]
  void close() noexcept;

  // False if there is nothing now. [reader]
  bool pop(Element& element);
  // [reader]
  bool empty() noexcept { return elements_.empty(); }
  // Closed and read to the end. [reader]
  bool ended() noexcept { return closed_.load(std::memory_order_acquire) && elements_.empty(); }
  // Ends the batch's rows; it is the writer's again. [reader]
  void give_back(Batch* batch) noexcept;
  // Wants no more: frees what is under way. May repeat, also after the end. [reader]
  void abandon() noexcept;

  // [any thread]
  bool abandoned() const noexcept { return abandoned_.load(std::memory_order_acquire); }
  // Under way, a moment ago. [any thread]
  std::uint32_t size() const noexcept { return elements_.size(); }
  // Memory it holds, in batches: under way, come back, or out. [any thread]
  std::uint32_t batches() const noexcept { return share_.borrowed(); }

 private:
  void free(Element& element) noexcept;
  Batch* own_spare() noexcept;

  const RecordType* type_ = nullptr;
  const std::uint32_t max_rows_;
  Waiter& writer_;
  Waiter& reader_;
  BufferBudget& budget_;
  BufferBudget::Share share_;
  std::optional<BufferBudget::InLine> in_line_;  // by try_obtain()
  Ring<Element> elements_;
  Ring<Batch*> home_;
  alignas(64) std::atomic<bool> closed_{false};  // by the writer
  std::atomic<bool> trimmed_{false};
  std::atomic<bool> abandoned_{false};  // by the reader
};

}  // namespace freshet::core
