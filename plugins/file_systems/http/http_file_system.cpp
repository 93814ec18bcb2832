#include "http_file_system.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "freshet/error.h"
#include "transfer.h"

namespace freshet::http {
namespace {

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> held(text, &curl_free);
  return text;
}

// In lower case. Fails where what is asked for is not ours to ask for.
std::string scheme_of(const Fetch& fetch, const std::string& at) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, at.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    fetch.fail(at, "that is no URL: write https://host/path");
  std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    fetch.fail(at, "its scheme is '" + scheme + "', expected http or https");
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty())
    fetch.fail(at, "it holds a user name, which it must not: serve it without one");
  return scheme;
}

}  // namespace

HttpFileSystem::HttpFileSystem() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

void HttpFileSystem::fetch(const std::string& url, const FetchRules& rules, FetchSink& sink) const {
  const AddressRules addresses(rules.allowed_addresses);
  const Fetch fetch{url, rules, addresses, sink, std::chrono::steady_clock::now()};
  std::string at = url, scheme = scheme_of(fetch, at);
  if (scheme == "http" && !rules.hash_is_known)
    fetch.fail(at,
               "over http anybody on the way may change it: append #sha256=<64 digits>, or "
               "use https");
  Distance sent_from = Distance::kThisHost;
  for (std::int32_t redirects = 0;; ++redirects) {
    const Answer answer = ask(fetch, at, sent_from);
    if (answer.moved_to.empty()) return;
    if (redirects == rules.max_redirects)
      fetch.fail(at, "it redirects once more, to '" + shown(answer.moved_to) + "', after " +
                         std::to_string(redirects) +
                         ": give the last URL of the chain, or raise fetch.max-redirects");
    const std::string next = scheme_of(fetch, answer.moved_to);
    if (scheme == "https" && next == "http")
      fetch.fail(answer.moved_to, "that leads from https to http: give a URL that stays https");
    sent_from = std::max(sent_from, answer.distance);
    at = answer.moved_to;
    scheme = next;
  }
}

}  // namespace freshet::http
