#include "transfer.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>

#include "freshet/error.h"

namespace freshet::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kOk = 200, kFirstRedirect = 300, kFirstRefusal = 400;
constexpr int kLookMs = 100;
constexpr std::size_t kShown = 300;
// Of an answer that is not the file; nobody reads it.
constexpr std::uint64_t kMostBesides = std::uint64_t{1} << 20;

struct EndEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct EndMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

std::string in_seconds(Duration duration) {
  std::string text = std::to_string(duration.ms() / 1000);
  const std::int64_t rest = duration.ms() % 1000;
  if (rest != 0) text += "." + std::to_string(1000 + rest).substr(1);
  return text + " s";
}

class Transfer {
 public:
  Transfer(const Fetch& fetch, const std::string& at, Distance sent_from)
      : fetch_(fetch), at_(at), sent_from_(sent_from) {
    if (!easy_ || !multi_) fail("libcurl has no memory for it: try again");
    set(CURLOPT_URL, at.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");  // a proxy would be the one whose address is judged
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_USERAGENT, "Freshet");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(fetch.rules.timeout.ms() + 1));
    if (!fetch.rules.authorities.empty()) {
      set(CURLOPT_CAINFO, fetch.rules.authorities.c_str());
      set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_PRIVATE, this);
    curl_multi_add_handle(multi_.get(), easy_.get());
  }
  ~Transfer() { curl_multi_remove_handle(multi_.get(), easy_.get()); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Answer run() {
    int running = 1;
    while (running > 0) {
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK)
        fail("libcurl gave up: try again");
      if (running == 0) break;
      check_time();
      curl_multi_poll(multi_.get(), nullptr, 0, kLookMs, nullptr);
    }
    if (error_) std::rethrow_exception(error_);
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
    return judge(message == nullptr ? CURLE_FAILED_INIT : message->data.result);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { fetch_.fail(at_, what); }

  template <class Value>
  void set(CURLoption option, Value value) {
    if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK)
      fail(std::string("libcurl refuses a setting: ") + curl_easy_strerror(code));
  }
  long status() const {
    long code = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
  std::int64_t announced() const {
    curl_off_t size = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    return size;
  }

  void check_time() const {
    if (!fetch_.sink.is_wanted())
      throw Canceled("'" + shown_url(fetch_.url) + "' is no longer wanted");
    const auto now = Clock::now();
    const auto over = [now](Clock::time_point since, Duration limit) {
      return now - since >= std::chrono::nanoseconds(limit.ns());
    };
    if (over(fetch_.begin, fetch_.rules.timeout))
      fail("it is not there after " + in_seconds(fetch_.rules.timeout) + ", " +
           std::to_string(received_) +
           " bytes have come: raise fetch.timeout, or use a faster "
           "server");
    if (over(last_byte_, fetch_.rules.stall_timeout))
      fail("no byte has come for " + in_seconds(fetch_.rules.stall_timeout) + ", after " +
           std::to_string(received_) + " bytes: check the server, or raise fetch.stall-timeout");
  }

  Answer judge(CURLcode code) {
    if (code == CURLE_COULDNT_CONNECT && !refused_.empty())
      fail(refused_ +
           ", from which a cluster fetches nothing: if it is meant, name it in "
           "fetch.allowed-addresses");
    if (code != CURLE_OK) fail(words_of(code));
    const long answer = status();
    if (answer >= kFirstRedirect && answer < kFirstRefusal) {
      const char* target = nullptr;
      curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &target);
      if (target == nullptr)
        fail("the server answers " + std::to_string(answer) + " without a place: expected 200");
      return {target, distance_};
    }
    if (answer != kOk)
      fail("the server answers " + std::to_string(answer) + ", expected 200: check the URL");
    return {"", distance_};
  }

  std::string words_of(CURLcode code) const {
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
        return "its host has no address: check the name";
      case CURLE_COULDNT_CONNECT:
        return "nobody answers there: check host and port";
      case CURLE_PARTIAL_FILE:
        return "the server announced " +
               (announced() < 0 ? std::string("more") : std::to_string(announced()) + " bytes") +
               " and sent " + std::to_string(received_) + ": it serves a file that is cut short";
      case CURLE_PEER_FAILED_VERIFICATION: {
        long verdict = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &verdict);
        return "its certificate is not trusted (OpenSSL says " + std::to_string(verdict) +
               "): use one of an authority that this host knows and of that very name, or name "
               "the authority's certificate in fetch.authorities";
      }
      case CURLE_SSL_CACERT_BADFILE:
        return "fetch.authorities '" + fetch_.rules.authorities +
               "' can't be read as certificates: give a PEM file";
      default:
        return std::string("its server is not understood: ") + curl_easy_strerror(code) +
               " (expected HTTP/1.1 or HTTP/2)";
    }
  }

  void take(std::string_view bytes) {
    last_byte_ = Clock::now();
    received_ += bytes.size();
    if (status() != kOk) {
      if (received_ > kMostBesides)
        fail("the server answers " + std::to_string(status()) + " and does not stop: expected 200");
      return;
    }
    const std::uint64_t most = fetch_.rules.max_size.bytes();
    const std::int64_t size = announced();
    if (size >= 0 && static_cast<std::uint64_t>(size) > most)
      fail("it has " + std::to_string(size) + " bytes, fetch.max-size is " + std::to_string(most) +
           ": raise it, or make the file smaller");
    if (received_ > most)
      fail("it has more than " + std::to_string(most) +
           " bytes, which is fetch.max-size: raise "
           "it, or make the file smaller");
    fetch_.sink.append(bytes);
  }

  // ---- called by libcurl, which nothing may be thrown through -----------------------------------

  static std::size_t on_body(char* bytes, std::size_t one, std::size_t size, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    try {
      transfer.take({bytes, one * size});
      return one * size;
    } catch (...) {
      transfer.error_ = std::current_exception();
      return one * size == 0 ? 1 : 0;  // another number ends the transfer
    }
  }

  static std::size_t on_header(char*, std::size_t one, std::size_t size, void* self) {
    static_cast<Transfer*>(self)->last_byte_ = Clock::now();
    return one * size;
  }

  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    try {
      const std::string refusal =
          transfer.fetch_.addresses.refusal(address->addr, transfer.sent_from_);
      if (!refusal.empty()) {
        transfer.refused_ = refusal;
        return CURL_SOCKET_BAD;
      }
      transfer.distance_ = AddressRules::distance_of(address->addr);
      return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    } catch (...) {
      transfer.error_ = std::current_exception();
      return CURL_SOCKET_BAD;
    }
  }

  const Fetch& fetch_;
  const std::string at_;
  const Distance sent_from_;
  const std::unique_ptr<CURLM, EndMulti> multi_{curl_multi_init()};
  const std::unique_ptr<CURL, EndEasy> easy_{curl_easy_init()};
  Clock::time_point last_byte_ = Clock::now();
  std::uint64_t received_ = 0;
  std::string refused_;                     // why an address was
  Distance distance_ = Distance::kOutside;  // of the host that was asked last
  std::exception_ptr error_;
};

}  // namespace

std::string shown(const std::string& url) {
  std::string text = shown_url(url).substr(0, kShown);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

void Fetch::fail(const std::string& at, const std::string& what) const {
  const std::string where = at == url ? "" : " from '" + shown(at) + "', to which it redirects";
  throw InvalidInput("'" + shown_url(url) + "' can't be fetched" + where + ": " + what);
}

Answer ask(const Fetch& fetch, const std::string& at, Distance sent_from) {
  return Transfer(fetch, at, sent_from).run();
}

}  // namespace freshet::http
