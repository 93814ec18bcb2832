// A server of http or https on loopback, whose answers a test writes byte by byte.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace freshet::testing {

class Connection {
 public:
  Connection(int socket, SSL* tls) : socket_(socket), tls_(tls) {}
  // False: the client is gone.
  bool send(std::string_view bytes);
  void wait_until_client_leaves();

 private:
  friend class HttpServer;
  std::string read_head();
  int socket_;
  SSL* tls_;
};

// 200 with that body.
std::string ok(const std::string& body);
std::string redirect_to(const std::string& url);

class HttpServer {
 public:
  using Handler = std::function<void(Connection&)>;

  enum class Tls { kNo, kYes };
  explicit HttpServer(Tls tls = Tls::kNo);
  // Cuts what is open.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void on(const std::string& path, Handler handler);
  void on(const std::string& path, const std::string& answer);
  std::string url(const std::string& path) const;
  int port() const { return port_; }
  // How often something was asked for.
  int asked() const { return asked_; }
  // PEM: its certificate, made by itself, for 127.0.0.1.
  const std::string& certificate() const { return certificate_; }

 private:
  void make_certificate();
  void accept();
  void serve(int socket);

  const bool secure_;
  int listener_ = -1;
  int port_ = 0;
  std::string certificate_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
  std::mutex mutex_;
  std::map<std::string, Handler> handlers_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread accepting_;
};

}  // namespace freshet::testing
