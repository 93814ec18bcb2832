// The other file of the travelling application.
#include "parts.h"

namespace {

std::string in_stars(const std::int64_t& i) { return "*" + std::to_string(i) + "*"; }

parts::Numbers alike(parts::Numbers numbers) {
  return numbers.map([](const std::int64_t& i) { return i + 2000; });
}

}  // namespace

namespace parts {

std::string (*hidden_function())(const std::int64_t&) { return &in_stars; }
Numbers alike_there(Numbers numbers) { return alike(std::move(numbers)); }

}  // namespace parts
