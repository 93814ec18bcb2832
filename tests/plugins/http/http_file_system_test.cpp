// The file system 'http' against real servers that behave, and others.
#include "http_file_system.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "child_process.h"
#include "freshet/error.h"
#include "http_server.h"
#include "scratch_folder.h"

namespace freshet::testing {
namespace {

class Collected final : public FetchSink {
 public:
  void append(std::string_view more) override { bytes += more; }
  bool is_wanted() const override { return wanted; }

  std::string bytes;
  std::atomic<bool> wanted = true;
};

const std::string kSecret = "the secret of the server";

class Http : public ::testing::Test {
 protected:
  Http() {
    rules_.hash_is_known = true;
    rules_.timeout = minutes(1);  // a guard; tests of time set their own
    rules_.stall_timeout = minutes(1);
  }
  std::string fetched(const std::string& url) {
    Collected sink;
    file_system_.fetch(url, rules_, sink);
    return sink.bytes;
  }
  // What it says; never what the server has sent.
  std::string refusal(const std::string& url) {
    try {
      fetched(url);
    } catch (const InvalidInput& error) {
      EXPECT_EQ(std::string(error.what()).find(kSecret), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("'" + shown_url(url) + "'"), 0u) << error.what();
      return error.what();
    }
    ADD_FAILURE() << url << " was fetched";
    return "";
  }
  void expect_refused(const std::string& url, const std::vector<std::string>& parts) {
    const std::string text = refusal(url);
    for (const std::string& part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
  }

  ScratchFolder scratch_;
  HttpServer server_;
  FetchRules rules_;
  const http::HttpFileSystem file_system_;
};

TEST_F(Http, GivesTheFileByteForByte) {
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  server_.on("/a.so", ok(body));
  EXPECT_EQ(fetched(server_.url("/a.so")), body);
}

TEST_F(Http, TakesAnEmptyFileAndOneInChunks) {
  server_.on("/empty", ok(""));
  server_.on("/chunks",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
             "5\r\nfresh\r\n2\r\net\r\n0\r\n\r\n");
  EXPECT_EQ(fetched(server_.url("/empty")), "");
  EXPECT_EQ(fetched(server_.url("/chunks")), "freshet");
}

TEST_F(Http, NamesTheAnswerOfWhatIsMissing) {
  server_.on("/no", "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n" + kSecret);
  expect_refused(server_.url("/missing.so"), {"answers 404, expected 200", "check the URL"});
  expect_refused(server_.url("/no"), {"answers 500, expected 200"});
}

TEST_F(Http, NeedsAHashOverPlainHttp) {
  rules_.hash_is_known = false;
  expect_refused(server_.url("/a.so"), {"anybody on the way may change it", "#sha256=", "https"});
  EXPECT_EQ(server_.asked(), 0);
}

TEST_F(Http, AsksByHttpAndHttpsAlone) {
  expect_refused("ftp://127.0.0.1/a.so", {"scheme is 'ftp', expected http or https"});
  expect_refused("file:///etc/passwd", {"scheme is 'file'"});
  expect_refused("http://a b/", {"no URL"});
  expect_refused("http://me:word@127.0.0.1/a.so", {"holds a user name"});
}

TEST_F(Http, NamesAUrlWithoutItsSecrets) {
  server_.on("/to-secrets", redirect_to("http://me:word@127.0.0.1/b.so?token=word#word"));
  for (const std::string& url :
       {server_.url("/missing.so?token=word"), server_.url("/missing.so#word"),
        std::string("http://me:word@127.0.0.1/missing.so?token=word"),
        std::string("https://w:word@w:word@127.0.0.1:1/a?word"), server_.url("/to-secrets"),
        std::string("ftp://me:word@127.0.0.1/a.so")}) {
    try {
      fetched(url);
      ADD_FAILURE() << url << " was fetched";
    } catch (const InvalidInput& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find("word"), std::string::npos) << text;
      EXPECT_EQ(text.find("'" + shown_url(url) + "'"), 0u) << text;
    }
  }
}

TEST_F(Http, NobodyAndNoHostAreToldApart) {
  int port = 0;
  {
    const HttpServer gone;
    port = gone.port();
  }
  expect_refused("http://127.0.0.1:" + std::to_string(port) + "/a.so", {"nobody answers there"});
  expect_refused("http://no-such-host.invalid/a.so", {"host has no address"});
}

TEST_F(Http, AServerThatStallsIsGivenUp) {
  rules_.stall_timeout = milliseconds(150);
  const auto stall = [](Connection& connection) { connection.wait_until_client_leaves(); };
  server_.on("/silent", stall);
  server_.on("/half", [&](Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + kSecret);
    stall(connection);
  });
  expect_refused(server_.url("/silent"),
                 {"no byte has come for 0.150 s, after 0 bytes", "fetch.stall-timeout"});
  expect_refused(server_.url("/half"),
                 {"after " + std::to_string(kSecret.size()) + " bytes", "fetch.stall-timeout"});
}

TEST_F(Http, AServerThatIsSlowIsGivenUpAlthoughItNeverStalls) {
  rules_.timeout = milliseconds(300);
  server_.on("/slow", [](Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (connection.send("x")) nap();
  });
  expect_refused(server_.url("/slow"),
                 {"not there after 0.300 s", "bytes have come", "raise fetch.timeout"});
}

TEST_F(Http, AHeaderWithoutEndIsGivenUp) {
  server_.on("/header", [](Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  rules_.timeout = seconds(3);
  refusal(server_.url("/header"));
}

TEST_F(Http, AServerThatSendsLessThanItSaysIsNamed) {
  server_.on("/short", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + kSecret);
  expect_refused(server_.url("/short"), {"announced 1000 bytes and sent 24", "cut short"});
}

TEST_F(Http, OfAServerThatSendsMoreThanItSaysOnlyThatMuchIsTaken) {
  server_.on("/long",
             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfreshet and more");
  EXPECT_EQ(fetched(server_.url("/long")), "fresh");
}

TEST_F(Http, AnswersThatAreNoHttpAreRefused) {
  server_.on("/nine", kSecret);
  server_.on("/length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + kSecret);
  server_.on("/gone", [](Connection&) {});
  refusal(server_.url("/nine"));
  refusal(server_.url("/gone"));
  try {
    EXPECT_LE(fetched(server_.url("/length")).size(), kSecret.size());
  } catch (const InvalidInput&) {
  }
}

TEST_F(Http, WhatIsTooLargeIsRefusedWhetherAnnouncedOrNot) {
  rules_.max_size = MemorySize(1000);
  std::atomic<bool> sent_all = false;
  server_.on("/fits", ok(std::string(1000, 'x')));
  server_.on("/announced", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx");
  server_.on("/endless", [&](Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (connection.send(std::string(500, 'x'))) {
    }
    sent_all = true;
  });
  EXPECT_EQ(fetched(server_.url("/fits")).size(), 1000u);
  expect_refused(server_.url("/announced"), {"has 1001 bytes, fetch.max-size is 1000", "raise it"});
  expect_refused(server_.url("/endless"), {"more than 1000 bytes, which is fetch.max-size"});
  EXPECT_TRUE(eventually([&] { return sent_all.load(); })) << "the connection is closed";
}

// ---- redirects ----------------------------------------------------------------------------------

TEST_F(Http, FollowsRedirectsAlsoRelativeOnes) {
  server_.on("/1", redirect_to("/folder/2"));
  server_.on("/folder/2", redirect_to("3"));
  server_.on("/folder/3", redirect_to(server_.url("/4")));
  server_.on("/4", ok("freshet"));
  EXPECT_EQ(fetched(server_.url("/1")), "freshet");
  rules_.max_redirects = 3;
  EXPECT_EQ(fetched(server_.url("/1")), "freshet");
}

TEST_F(Http, AChainThatIsTooLongOrACircleIsRefused) {
  server_.on("/1", redirect_to("/2"));
  server_.on("/2", redirect_to("/3?token=" + kSecret.substr(0, 3)));
  server_.on("/circle", redirect_to("/circle"));
  rules_.max_redirects = 1;
  expect_refused(server_.url("/1"), {"'" + server_.url("/2") + "', to which it redirects",
                                     "redirects once more, to '" + server_.url("/3") + "?***'",
                                     "after 1", "fetch.max-redirects"});
  rules_.max_redirects = 7;
  const int before = server_.asked();
  expect_refused(server_.url("/circle"), {"after 7"});
  EXPECT_EQ(server_.asked() - before, 8);
}

TEST_F(Http, ARedirectToAnotherSchemeIsRefused) {
  server_.on("/file", redirect_to("file:///etc/passwd"));
  server_.on("/ftp", redirect_to("ftp://127.0.0.1/a.so"));
  server_.on("/gopher", redirect_to("gopher://127.0.0.1/1"));
  server_.on("/nowhere", "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  expect_refused(server_.url("/file"), {"file:///etc/passwd", "scheme is 'file'"});
  expect_refused(server_.url("/ftp"), {"scheme is 'ftp', expected http or https"});
  expect_refused(server_.url("/gopher"), {"scheme is 'gopher'"});
  expect_refused(server_.url("/nowhere"), {"answers 302 without a place"});
}

TEST_F(Http, ARedirectToALinkLocalAddressIsRefusedInWhateverWriting) {
  for (const std::string host :
       {"169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200"}) {
    server_.on("/" + host, redirect_to("http://" + host + "/latest/meta-data"));
    expect_refused(server_.url("/" + host),
                   {"/latest/meta-data', to which it redirects",
                    "from which a cluster fetches nothing", "fetch.allowed-addresses"});
  }
  expect_refused("http://169.254.169.254/a.so", {"169.254.169.254 is a link-local address"});
}

TEST_F(Http, AnAllowedAddressThatIsNoneIsNamed) {
  server_.on("/a", ok("a"));
  for (const std::string bad : {"example.org", "10.0.0.0/33", "::/129", "1.2.3.4/", "1.2.3.4/x"}) {
    rules_.allowed_addresses = {bad};
    try {
      fetched(server_.url("/a"));
      ADD_FAILURE() << bad;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find("'" + bad + "'"), std::string::npos);
    }
  }
}

// ---- https --------------------------------------------------------------------------------------

class Https : public Http {
 protected:
  Https() {
    rules_.hash_is_known = false;
    secure_.on("/a.so", ok("freshet"));
  }
  void trust() { rules_.authorities = scratch_.write("authority.pem", secure_.certificate()); }

  HttpServer secure_{HttpServer::Tls::kYes};
};

TEST_F(Https, NeedsNoHashFromAServerWhoseAuthorityIsTrusted) {
  trust();
  EXPECT_EQ(fetched(secure_.url("/a.so")), "freshet");
}

TEST_F(Https, AnUnknownAuthorityIsRefusedBeforeAnythingIsAsked) {
  expect_refused(secure_.url("/a.so"), {"certificate is not trusted", "fetch.authorities"});
  EXPECT_EQ(secure_.asked(), 0);
}

TEST_F(Https, ACertificateOfAnotherNameIsRefused) {
  trust();
  expect_refused("https://localhost:" + std::to_string(secure_.port()) + "/a.so",
                 {"certificate is not trusted", "that very name"});
}

TEST_F(Https, AuthoritiesThatCantBeReadAreNamed) {
  rules_.authorities = scratch_ / "missing.pem";
  expect_refused(secure_.url("/a.so"), {"missing.pem", "PEM"});
}

TEST_F(Https, ARedirectToHttpIsRefusedAlsoWithAHash) {
  trust();
  secure_.on("/down", redirect_to(server_.url("/a.so")));
  server_.on("/a.so", ok(kSecret));
  server_.on("/up", redirect_to(secure_.url("/a.so")));
  for (const bool known : {false, true}) {
    rules_.hash_is_known = known;
    expect_refused(secure_.url("/down"), {"from https to http"});
  }
  EXPECT_EQ(server_.asked(), 0);
  EXPECT_EQ(fetched(server_.url("/up")), "freshet");
}

TEST_F(Https, AServerWithoutTlsIsRefused) {
  trust();
  rules_.stall_timeout = milliseconds(150);  // each waits for the other
  expect_refused("https://127.0.0.1:" + std::to_string(server_.port()) + "/a.so", {"no byte"});
}

// ---- the end of interest ------------------------------------------------------------------------

TEST_F(Http, EndsSoonWhenNobodyWaitsAnyMore) {
  Collected sink;
  server_.on("/stalls", [&](Connection& connection) {
    sink.wanted = false;
    connection.wait_until_client_leaves();
  });
  EXPECT_THROW(file_system_.fetch(server_.url("/stalls"), rules_, sink), Canceled);
}

TEST_F(Http, WhatTheSinkThrowsEndsTheFetch) {
  class Full final : public FetchSink {
    void append(std::string_view) override { throw InvalidInput("no room"); }
    bool is_wanted() const override { return true; }
  } sink;
  server_.on("/a", ok("a"));
  try {
    file_system_.fetch(server_.url("/a"), rules_, sink);
    ADD_FAILURE();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "no room");
  }
}

}  // namespace
}  // namespace freshet::testing
