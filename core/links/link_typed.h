// The typed half of link.h: how a message M becomes bytes and is handed to its handler.
//
// M has `static constexpr const char* kKind`, FRESHET_MESSAGE_FIELDS (fields.h), `using Answer = ...` if it
// is a request, and `static constexpr Senders kFrom` unless anybody may send it. An answer without
// a field is an empty class with FRESHET_MESSAGE_FIELDS().
#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include "links/envelope.h"
#include "links/link.h"

namespace freshet::core {

template <class M>
concept Request = requires {
  typename M::Answer;
};

template <class M>
constexpr Senders senders_of() {
  if constexpr (requires { M::kFrom; }) {
    return M::kFrom;
  } else {
    return Senders::anybody();
  }
}

// Defined in packing.h, and instantiated for each message beside it: by messages/*.cpp for those of
// the protocol.
template <class T>
std::string pack_body(const T& value);
template <class T>
T unpack_body(const char* kind, std::string_view body);

template <class M, class F>
void MessageTable::on(F f) {
  add(M::kKind, senders_of<M>(),
      [f = std::move(f)](Link& link, std::string_view body, Reply reply) mutable {
        M message = unpack_body<M>(M::kKind, body);
        if constexpr (Request<M>) {
          using Returned = std::invoke_result_t<F&, Link&, M>;
          if constexpr (detail::IsFuture<Returned>::value) {
            static_cast<void>(f(link, std::move(message))
                                  .then([reply = std::move(reply)](const Returned& answer) {
                                    try {
                                      reply(true, pack_body<typename M::Answer>(answer.get()));
                                    } catch (...) {
                                      reply(false, error_body(std::current_exception()));
                                    }
                                  }));
          } else {
            reply(true, pack_body<typename M::Answer>(f(link, std::move(message))));
          }
        } else {
          f(link, std::move(message));
        }
      });
}

template <class M>
void Link::send(const M& message) {
  static_assert(!Request<M>, "a message with an Answer is asked: ask()");
  send_bytes(M::kKind, pack_body(message));
}

template <class M>
Future<typename M::Answer> Link::ask(const M& message, std::int64_t deadline_ms) {
  return ask_bytes(M::kKind, pack_body(message), deadline_ms).then([](const std::string& body) {
    return unpack_body<typename M::Answer>(M::kKind, body);
  });
}

}  // namespace freshet::core
