// The timers of one operator: which are due, in an order that depends on nothing but themselves.
//
// Threads    The task's fiber.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "freshet/api.h"
#include "freshet/plugin/operator.h"

namespace freshet::core {

class FRESHET_API TimerQueue {
 public:
  // Who a timer is.
  struct Name {
    std::string family, tag, key;
    auto view() const {
      return std::tuple<std::string_view, std::string_view, std::string_view>(family, tag, key);
    }
    friend bool operator<(const Name& a, const Name& b) { return a.view() < b.view(); }
  };
  struct Due {
    Name name;
    TimeDomain domain;
    std::int64_t timestamp;
    std::int64_t hold;

    Timer timer() const { return {domain, timestamp, name.family, name.tag, name.key}; }
  };

  // Moves the one of that name, if there is one.
  void set(Name name, TimeDomain domain, std::int64_t timestamp, std::int64_t hold);
  // False if there was none.
  bool erase(const Name& name);
  // Takes out the first that is due at `time`, by timestamp, then name. Its hold counts until
  // release().
  std::optional<Due> take(TimeDomain domain, std::int64_t time);
  void release(const Due& due);

  // The timestamp of the next; INT64_MAX: none.
  std::int64_t next(TimeDomain domain) const;
  bool is_due(TimeDomain domain, std::int64_t time) const {
    return size(domain) != 0 && next(domain) <= time;
  }
  std::size_t size(TimeDomain domain) const { return queue(domain).size(); }
  // The least hold; INT64_MAX: none.
  std::int64_t least_hold() const { return holds_.empty() ? INT64_MAX : *holds_.begin(); }
  void clear();

 private:
  struct Setting {
    TimeDomain domain;
    std::int64_t timestamp;
    std::int64_t hold;
  };
  using Timers = std::map<Name, Setting>;
  struct Earlier {
    bool operator()(Timers::const_iterator a, Timers::const_iterator b) const {
      return a->second.timestamp != b->second.timestamp ? a->second.timestamp < b->second.timestamp
                                                        : a->first < b->first;
    }
  };
  using Queue = std::set<Timers::const_iterator, Earlier>;

  const Queue& queue(TimeDomain domain) const {
    return domain == TimeDomain::kEvent ? event_ : processing_;
  }
  Queue& queue(TimeDomain domain) { return domain == TimeDomain::kEvent ? event_ : processing_; }
  void let_go(std::int64_t hold);

  Timers timers_;
  Queue event_, processing_;
  std::multiset<std::int64_t> holds_;
};

}  // namespace freshet::core
