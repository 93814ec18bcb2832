// A file system: fetches files by URL for a cluster, such as applications from an http server. A
// plugin of kind "file system"; it runs in the job manager, which asks the one that serves the
// scheme of a URL.
//
//   class MyStore final : public freshet::FileSystem { ... };
//   FRESHET_FILE_SYSTEM_PLUGIN("my-store", "0.1.0", MyStore);
//
// A URL comes from whoever may submit an application, and what it gives is not to be trusted: keep
// to the rules, and never put bytes of what came into an error. URLs hold secrets: in errors and
// logs they stand as shown_url() has them.
//
// Threads    Any, several at once: the object is stateless. A call may block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "freshet/duration.h"
#include "freshet/memory_size.h"

namespace freshet {

// A URL as others may see it: who asks, query and fragment are "***", what steers a terminal is
// '?'.
//   https://me:word@host/a.so?token=1  ->  https://***@host/a.so?***
FRESHET_API std::string shown_url(std::string_view url);

// What a fetch must keep to; from the options fetch.* of the cluster.
struct FetchRules {
  // How often the place may be told to be another one.
  std::int32_t max_redirects = 5;
  // Of the file, announced or not.
  MemorySize max_size = MemorySize::gigabytes(1);
  // From begin to end; and without any byte coming.
  Duration timeout = minutes(5);
  Duration stall_timeout = seconds(20);
  // Addresses and networks ("169.254.0.0/16", "fe80::1") that may be asked although they are
  // refused otherwise: link-local ones, those at which clouds tell secrets, private ones to which
  // an outside server redirects.
  std::vector<std::string> allowed_addresses;
  // File with the certificates of the authorities that are trusted; empty: the host's.
  std::string authorities;
  // What comes is checked against a hash: without, it must come from where nobody can change it on
  // its way.
  bool hash_is_known = false;
};

// Where the bytes of a file go. Threads: that of the fetch.
class FRESHET_API FetchSink {
 public:
  virtual ~FetchSink();
  // The next bytes of the file. Throws what the fetch must end with.
  virtual void append(std::string_view bytes) = 0;
  // False: nobody waits any more. Asked at least every 200 ms.
  virtual bool is_wanted() const = 0;
};

class FRESHET_API FileSystem {
 public:
  virtual ~FileSystem();
  // The plugin's name.
  virtual const char* name() const = 0;
  // In lower case, such as {"http", "https"}. Exactly one plugin may serve a scheme.
  virtual std::vector<std::string> schemes() const = 0;
  // Gives the whole file to `sink`, in order, and returns; or throws InvalidInput that names the
  // URL (shown_url()), what was found, what was expected, and the mend. Canceled if the sink wants
  // no more. What the sink has got is worthless then.
  virtual void fetch(const std::string& url, const FetchRules& rules, FetchSink& sink) const = 0;
};

}  // namespace freshet
