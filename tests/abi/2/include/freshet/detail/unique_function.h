// A callable that can be moved but not copied, with room for small ones in place.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace freshet::detail {

template <class Signature>
class UniqueFunction;

// Calling an empty one is undefined.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
      UniqueFunction(F&& f) {  // NOLINT: converts on purpose, as std::function does
    using Held = std::remove_cvref_t<F>;
    if constexpr (kFits<Held>) {
      ::new (static_cast<void*>(store_)) Held(std::forward<F>(f));
      operations_ = &kInPlace<Held>;
    } else {
      *reinterpret_cast<Held**>(store_) = new Held(std::forward<F>(f));
      operations_ = &kOnHeap<Held>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept : operations_(other.operations_) {
    if (operations_) operations_->move(store_, other.store_);
    other.operations_ = nullptr;
  }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      operations_ = other.operations_;
      if (operations_) operations_->move(store_, other.store_);
      other.operations_ = nullptr;
    }
    return *this;
  }
  ~UniqueFunction() { reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }
  R operator()(Args... args) { return operations_->call(store_, std::forward<Args>(args)...); }
  void reset() noexcept {
    if (operations_) std::exchange(operations_, nullptr)->destroy(store_);
  }

 private:
  static constexpr std::size_t kRoom = 48;
  template <class Held>
  static constexpr bool kFits =
      sizeof(Held) <= kRoom &&
      alignof(Held) <= alignof(void*) && std::is_nothrow_move_constructible_v<Held>;
  struct Operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* to, void* from) noexcept;  // ends the life of what was in `from`
    void (*destroy)(void*) noexcept;
  };
  template <class Held>
  static constexpr Operations kInPlace{
      [](void* at, Args&&... args) -> R {
        return (*static_cast<Held*>(at))(std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept {
        ::new (to) Held(std::move(*static_cast<Held*>(from)));
        static_cast<Held*>(from)->~Held();
      },
      [](void* at) noexcept { static_cast<Held*>(at)->~Held(); }};
  template <class Held>
  static constexpr Operations kOnHeap{
      [](void* at, Args&&... args) -> R {
        return (**static_cast<Held**>(at))(std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept { *static_cast<Held**>(to) = *static_cast<Held**>(from); },
      [](void* at) noexcept { delete *static_cast<Held**>(at); }};

  alignas(void*) unsigned char store_[kRoom];
  const Operations* operations_ = nullptr;
};

}  // namespace freshet::detail
