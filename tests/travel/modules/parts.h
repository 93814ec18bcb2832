// What the two files of the travelling application share.
#pragma once

#include <freshet/freshet.h>

#include <string>

namespace parts {

struct Order {
  std::string customer;
  std::int64_t amount = 0;
  std::int64_t doubled() const { return 2 * amount; }
};

using Numbers = freshet::DataStream<std::int64_t>;
using Lines = freshet::DataStream<std::string>;

// The address of a function that only the other file can name.
std::string (*hidden_function())(const std::int64_t&);

// Both files have a function of this shape, whose lambda has the same name for people.
Numbers alike_here(Numbers numbers);
Numbers alike_there(Numbers numbers);

template <int kBy>
struct Times {
  std::int64_t operator()(std::int64_t i) const { return i * kBy; }
};
template <int kBy>
std::int64_t plus(const std::int64_t& i) {
  return i + kBy;
}

}  // namespace parts
