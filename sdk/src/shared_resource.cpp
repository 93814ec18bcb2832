#include "freshet/shared_resource.h"

#include <map>
#include <mutex>
#include <optional>

#include "freshet/error.h"
#include "freshet/future.h"
#include "freshet/plugin/operator.h"

namespace freshet::detail {

namespace {

// A name in use, from the moment that somebody begins to make the object until it is destroyed.
struct Entry {
  std::string type;
  std::weak_ptr<void> object;
  // Completed at the next step: made, failed, or destroyed. Who waits then looks again.
  Promise<std::string> changed;
};

class Resources {
 public:
  // Outlives every thread that lets go of a resource.
  static Resources& instance() {
    static auto* const resources = new Resources();
    return *resources;
  }

  std::shared_ptr<void> share(std::string_view name, std::string_view type,
                              UniqueFunction<std::shared_ptr<void>()>& make) {
    for (;;) {
      Future<std::string> changed;
      {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(name);
        if (found == entries_.end()) {
          entries_[std::string(name)].type = type;
          break;
        }
        if (found->second.type != type) {
          throw InvalidInput("the shared resource '" + std::string(name) + "' is a " +
                             found->second.type + " and is asked for as a " + std::string(type) +
                             ": use another name, or the same version of what makes it");
        }
        if (auto object = found->second.object.lock()) return object;
        changed = found->second.changed.future();
      }
      // Being made, or being destroyed. Each who waits throws an error of its own: one that threads
      // share would be freed by whoever lets go last.
      const std::string failed = changed.get();
      if (!failed.empty()) {
        throw Error("the shared resource '" + std::string(name) + "' could not be made: " + failed);
      }
    }
    return make_entry(std::string(name), make);
  }

 private:
  std::shared_ptr<void> make_entry(const std::string& name,
                                   UniqueFunction<std::shared_ptr<void>()>& make) {
    std::shared_ptr<void> object;
    try {
      object = make();
    } catch (...) {
      leave(name, current_exception_message());
      throw;
    }
    // What is handed out keeps the object, and is the last to let it go.
    void* const address = object.get();
    std::shared_ptr<void> shared(address, [this, name, object](void*) mutable {
      object.reset();
      leave(name, {});
    });
    object.reset();
    Promise<std::string> changed;
    {
      const std::lock_guard lock(mutex_);
      Entry& entry = entries_.at(name);
      entry.object = shared;
      std::swap(entry.changed, changed);
    }
    changed.set_value(std::string());
    return shared;
  }

  // `failed` says why it could not be made; empty if it could.
  void leave(const std::string& name, std::string failed) {
    std::optional<Promise<std::string>> changed;
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(name);
      changed.emplace(std::move(found->second.changed));
      entries_.erase(found);
    }
    changed->set_value(std::move(failed));
  }

  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace

std::shared_ptr<void> share_resource(std::string_view name, std::string_view type,
                                     UniqueFunction<std::shared_ptr<void>()> make) {
  return Resources::instance().share(name, type, make);
}

}  // namespace freshet::detail
