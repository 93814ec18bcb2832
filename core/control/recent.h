// What was last noted by name, of a bounded number of names: the oldest ones are forgotten first.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace freshet::core {

template <class V>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}

  // A name that is known keeps its place.
  void put(const std::string& name, V value) {
    if (!values_.insert_or_assign(name, std::move(value)).second) return;
    order_.push_back(name);
    if (order_.size() <= most_) return;
    values_.erase(order_.front());
    order_.pop_front();
  }
  bool empty() const { return order_.empty(); }
  // Null if it is not known.
  const V* find(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }

 private:
  const std::size_t most_;
  std::map<std::string, V> values_;
  std::deque<std::string> order_;
};

}  // namespace freshet::core
