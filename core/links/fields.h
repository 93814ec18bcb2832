// FRESHET_MESSAGE_FIELDS lists the fields of a message, in its class, so that it can be sent by name
// (packing.h). This header does not include MessagePack, which whoever only sends and handles
// messages need not compile.
//
//   struct Answer {
//     std::string id;
//     std::vector<std::string> names;
//     FRESHET_MESSAGE_FIELDS(id, names);
//   };
#pragma once

#include <tuple>

#define FRESHET_MESSAGE_FIELDS(...) FRESHET_MESSAGE_FIELDS_AS(#__VA_ARGS__, __VA_ARGS__)

// Under other names, as in "v, t".
#define FRESHET_MESSAGE_FIELDS_AS(names, ...)           \
  static constexpr const char* kFields = names;         \
  auto fields() { return std::tie(__VA_ARGS__); }       \
  auto fields() const { return std::tie(__VA_ARGS__); } \
  static_assert(true)
