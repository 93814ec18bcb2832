// Tells the sanitizers about fibers. Only in sanitizer builds; compiled without -fsanitize itself.
//
// The sanitizers keep a picture of each stack (ASan: its bounds and its fake stack, TSan: a shadow
// call stack and a vector clock) and must be told of every switch before and after it happens.
// Boost.Fiber 1.74 as packaged tells them nothing. Everything in Boost.Context that creates or
// switches a stack goes through three assembler functions, so we stand before those three: the
// core library exports functions of the same names, does the telling and calls the real ones.
//
// Handles    An fcontext_t is opaque to Boost, so what we hand out is a Stack*, never the real one.
//            It needs no table, hence no mutex, which TSan would take for a hand-over of data.
// Threads    A stack may be resumed by another thread than it was left by. Thread-local variables
//            are therefore read anew after each switch, in functions that are not inlined.
// Order      The core must come before libboost_context in the lookup scope: checked at load.
// Ends       A Stack lives from make_fcontext() to the last act of its fiber; a thread's own Stack
//            as long as the thread.
#include <dlfcn.h>
#include <pthread.h>

#include <boost/context/detail/fcontext.hpp>
#include <boost/version.hpp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#ifdef FRESHET_TSAN
#include <sanitizer/tsan_interface.h>
#else
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

static_assert(BOOST_VERSION == 107400,
              "compare kRecordAboveStack and 'a fiber's last act' with fiber_fcontext.hpp of this "
              "Boost, then add its version here");

namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::transfer_t;
using EntryFunction = void (*)(transfer_t);
using OnTopFunction = transfer_t (*)(transfer_t);

// fiber_fcontext.hpp leaves this gap between a stack's top and the fiber's record above it.
constexpr std::size_t kRecordAboveStack = 64;
#ifndef FRESHET_TSAN
// The record and the fiber's context object lie above the top, within the next page.
constexpr std::size_t kPage = 4096;
#endif

struct Stack {
  char* low = nullptr;
  std::size_t size = 0;
  fcontext_t suspended_at = nullptr;  // the real handle, while nobody runs here
  EntryFunction entry = nullptr;      // what Boost wants to run here; null for a thread's own
  void* sanitizer_state = nullptr;    // ASan: its fake stack while suspended; TSan: its fiber
  bool arrived = false;               // the sanitizer knows that we run here
  int reuse = 0;                      // TSan: how many fibers had that state before

  char* top() const { return low + size; }
};

// What ontop_fcontext() sends along: a function to run on the target's stack.
struct OnTop {
  OnTopFunction function;
  void* data;
  Stack* finished;  // the sender, if that was its last act, else null
};

thread_local Stack thread_stack;  // the stack that the thread was born with
thread_local Stack* current = nullptr;
thread_local Stack* left = nullptr;  // the stack that this thread has just left

#ifdef FRESHET_TSAN
// TSan needs milliseconds to make the state of a fiber. A thread gives that of one that has ended
// on it to the next that begins on it: the two could not race anyway. The frames in which a fiber
// ends stay in its shadow call stack, so it is not for ever.
class FiberStates {
 public:
  ~FiberStates() {
    while (count_ > 0) __tsan_destroy_fiber(kept_[--count_].state);
  }
  void take(Stack& stack) {
    if (count_ == 0) {
      stack.sanitizer_state = __tsan_create_fiber(0);
      return;
    }
    --count_;
    stack.sanitizer_state = kept_[count_].state;
    stack.reuse = kept_[count_].reuse;
  }
  void give_back(const Stack& stack) {
    if (count_ == kKept || stack.reuse == kReuses) {
      __tsan_destroy_fiber(stack.sanitizer_state);
    } else {
      kept_[count_++] = {stack.sanitizer_state, stack.reuse + 1};
    }
  }

 private:
  static constexpr int kKept = 64;
  static constexpr int kReuses = 200;
  struct Kept {
    void* state;
    int reuse;
  };
  Kept kept_[kKept];
  int count_ = 0;
};
thread_local FiberStates fiber_states;
#endif

// The stack that this code runs on.
Stack* here() {
  if (current != nullptr) return current;
  pthread_attr_t attributes;
  void* low = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &thread_stack.size);
  pthread_attr_destroy(&attributes);
  thread_stack.low = static_cast<char*>(low);
#ifdef FRESHET_TSAN
  thread_stack.sanitizer_state = __tsan_get_current_fiber();
#endif
  return current = &thread_stack;
}

// The last thing before a switch from `from` to `to`.
void leave(Stack* from, Stack* to) {
  from->arrived = false;
  left = from;
  current = to;
#ifdef FRESHET_TSAN
  __tsan_switch_to_fiber(to->sanitizer_state, 0);  // 0: fibers of one thread do not race
#else
  __sanitizer_start_switch_fiber(&from->sanitizer_state, to->low, to->size);
#endif
}

// The first thing after a switch, perhaps in another thread. A switch that ran a function on top
// gets here twice, by that function and by the jump itself; the second time there is nothing to do.
__attribute__((noinline)) transfer_t arrive(transfer_t transfer) {
  if (current->arrived) return transfer;
  current->arrived = true;
  left->suspended_at = transfer.fctx;
  transfer.fctx = left;
#ifndef FRESHET_TSAN
  __sanitizer_finish_switch_fiber(current->sanitizer_state, nullptr, nullptr);
#endif
  return transfer;
}

// Forgets a stack whose fiber has ended, before Boost frees its memory.
void dispose(Stack* stack) {
#ifdef FRESHET_TSAN
  fiber_states.give_back(*stack);
#else
  __lsan_unregister_root_region(stack->low, stack->size + kPage);
  if (stack->sanitizer_state != nullptr) {
    // Only a switch that leaves a stack for good frees its fake stack: go there and come back.
    Stack* me = here();
    void* mine = nullptr;
    __sanitizer_start_switch_fiber(&mine, stack->low, stack->size);
    __sanitizer_finish_switch_fiber(stack->sanitizer_state, nullptr, nullptr);
    __sanitizer_start_switch_fiber(nullptr, me->low, me->size);
    __sanitizer_finish_switch_fiber(mine, nullptr, nullptr);
  }
#endif
  delete stack;
}

// Where every new stack begins.
void first_steps(transfer_t transfer) {
  transfer = arrive(transfer);
  current->entry(transfer);
}

// What runs on the target's stack in an ontop_fcontext(). The function may throw.
transfer_t run_on_top(transfer_t transfer) {
  const OnTop on_top = *static_cast<OnTop*>(transfer.data);
  transfer = arrive(transfer);
  transfer.data = on_top.data;
  if (on_top.finished != nullptr) dispose(on_top.finished);
  return on_top.function(transfer);
}

template <class Function>
Function* real(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    std::fprintf(stderr, "freshet: no %s behind libfreshet-core: libboost_context is not loaded\n",
                 name);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

__attribute__((constructor)) void refuse_to_stand_behind_boost() {
  Dl_info ours{};
  Dl_info found{};
  void* jump = dlsym(RTLD_DEFAULT, "jump_fcontext");
  dladdr(reinterpret_cast<void*>(&refuse_to_stand_behind_boost), &ours);
  if (jump != nullptr && dladdr(jump, &found) != 0 && ours.dli_fbase == found.dli_fbase) return;
  std::fprintf(stderr,
               "freshet: sanitizer build: jump_fcontext comes from %s, must come from %s: link "
               "freshet-core before boost_context\n",
               found.dli_fname != nullptr ? found.dli_fname : "nowhere", ours.dli_fname);
  std::abort();
}

}  // namespace

#define FRESHET_INTERPOSED extern "C" __attribute__((visibility("default")))

FRESHET_INTERPOSED fcontext_t make_fcontext(void* top, std::size_t size, EntryFunction entry) {
  static auto* const make = real<fcontext_t(void*, std::size_t, EntryFunction)>("make_fcontext");
  auto* stack = new Stack;
  stack->low = static_cast<char*>(top) - size;
  stack->size = size;
  stack->entry = entry;
#ifdef FRESHET_TSAN
  fiber_states.take(*stack);
#else
  __asan_unpoison_memory_region(stack->low, size);        // the memory may have been a stack before
  __lsan_register_root_region(stack->low, size + kPage);  // mapped memory is not searched by itself
#endif
  stack->suspended_at = make(top, size, first_steps);
  return stack;
}

FRESHET_INTERPOSED transfer_t jump_fcontext(fcontext_t const target, void* data) {
  static auto* const jump = real<transfer_t(fcontext_t, void*)>("jump_fcontext");
  auto* to = static_cast<Stack*>(target);
  leave(here(), to);
  return arrive(jump(to->suspended_at, data));
}

FRESHET_INTERPOSED transfer_t ontop_fcontext(fcontext_t const target, void* data,
                                             OnTopFunction function) {
  static auto* const ontop = real<transfer_t(fcontext_t, void*, OnTopFunction)>("ontop_fcontext");
  auto* to = static_cast<Stack*>(target);
  Stack* from = here();
  // A fiber's last act is to send its own record to where it is to be freed.
  const bool last_act = data == from->top() + kRecordAboveStack;
  OnTop on_top{function, data, last_act ? from : nullptr};
  leave(from, to);
  return arrive(ontop(to->suspended_at, &on_top, run_on_top));
}
