// Files from http and https servers, by libcurl.
//
// http and https only, also after redirects, and never from https to http; http only where what
// comes is checked against a hash. No proxies, no cookies, no user names.
#pragma once

#include "freshet/plugin/file_system.h"

namespace freshet::http {

class HttpFileSystem final : public FileSystem {
 public:
  HttpFileSystem();
  const char* name() const override { return "http"; }
  std::vector<std::string> schemes() const override { return {"http", "https"}; }
  void fetch(const std::string& url, const FetchRules& rules, FetchSink& sink) const override;
};

}  // namespace freshet::http
