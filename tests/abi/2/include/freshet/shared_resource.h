// One object per process, shared by counting: a connection pool, a client, an embedded interpreter.
//
//   auto pool = shared_resource<Pool>("acme.pool", "acme.Pool/1", [] { return Pool(4); });
//
// The first who asks makes it, everybody else gets the same, and when the last one lets go it is
// destroyed. Whoever asks meanwhile waits: two never exist at once, also not one being destroyed
// and the next. If making it fails, all who waited get the error, and the next one tries anew.
//
// Names      Are the process's, across modules and jobs: begin them with yours. `type` is a schema
//            of the object's class and version, the same text in all modules that share it;
//            asking for one name with two types throws InvalidInput.
// Threads    Any, also fibers: waiting suspends them. The object itself sees to its own threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"

namespace freshet {

namespace detail {
// `make` returns the object; its last owner's release destroys it.
FRESHET_API std::shared_ptr<void> share_resource(std::string_view name, std::string_view type,
                                                 UniqueFunction<std::shared_ptr<void>()> make);
}  // namespace detail

// make() returns a T. Modules are never unloaded, so T may be of any of them.
template <class T, class Make>
std::shared_ptr<T> shared_resource(std::string_view name, std::string_view type, Make make) {
  return std::static_pointer_cast<T>(
      detail::share_resource(name, type, [make = std::move(make)]() mutable {
        return std::shared_ptr<void>(std::shared_ptr<T>(new T(make())));
      }));
}

}  // namespace freshet
