#include "freshet/text.h"

#include <charconv>

namespace freshet::detail {

namespace {
template <class T>
void append(std::string& to, T value) {
  char text[64];
  const auto result = std::to_chars(text, text + sizeof text, value);
  to.append(text, result.ptr);
}
}  // namespace

void append_number(std::string& to, long long value) { append(to, value); }
void append_number(std::string& to, unsigned long long value) { append(to, value); }
void append_number(std::string& to, float value) { append(to, value); }
void append_number(std::string& to, double value) { append(to, value); }
void append_number(std::string& to, long double value) { append(to, value); }

}  // namespace freshet::detail
