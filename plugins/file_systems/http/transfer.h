// One request of a fetch: from a URL either the file or the place to which it has moved.
#pragma once

#include <chrono>
#include <string>

#include "addresses.h"
#include "freshet/plugin/file_system.h"

namespace freshet::http {

// What all requests of one fetch share.
struct Fetch {
  const std::string& url;  // as it was given
  const FetchRules& rules;
  const AddressRules& addresses;
  FetchSink& sink;
  const std::chrono::steady_clock::time_point begin;

  // Throws InvalidInput: "'<url>' can't be fetched: <what>". `at`: the place that was asked.
  [[noreturn]] void fail(const std::string& at, const std::string& what) const;
};

struct Answer {
  std::string moved_to;                    // empty: the sink has the whole file
  Distance distance = Distance::kOutside;  // of the host that gave it
};

// `sent_from`: see AddressRules::refusal(). Throws what FileSystem::fetch() does.
Answer ask(const Fetch& fetch, const std::string& at, Distance sent_from);

// For errors, of a URL that a server has sent: as shown_url(), in ASCII, and not too long.
std::string shown(const std::string& url);

}  // namespace freshet::http
