#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace freshet::testing {
namespace {

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("http server of a test: ") + what);
}

}  // namespace

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 16));
    const auto sent = tls_ != nullptr
                          ? SSL_write(tls_, bytes.data(), size)
                          : static_cast<int>(::send(socket_, bytes.data(),
                                                    static_cast<std::size_t>(size), MSG_NOSIGNAL));
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Connection::wait_until_client_leaves() {
  char byte = 0;
  while (::recv(socket_, &byte, 1, 0) > 0) {
  }
}

std::string Connection::read_head() {
  std::string head;
  char byte = 0;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const auto got =
        tls_ != nullptr ? SSL_read(tls_, &byte, 1) : static_cast<int>(::recv(socket_, &byte, 1, 0));
    if (got <= 0) return "";
    head += byte;
  }
  return head;
}

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string redirect_to(const std::string& url) {
  return "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + url +
         "\r\n\r\n";
}

HttpServer::HttpServer(Tls tls) : secure_(tls == Tls::kYes) {
  std::signal(SIGPIPE, SIG_IGN);  // of SSL_write
  if (secure_) make_certificate();
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(::listen(listener_, 64) == 0, "listen");
  require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "name");
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept(); });
}

HttpServer::~HttpServer() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void HttpServer::on(const std::string& path, Handler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[path] = std::move(handler);
}

void HttpServer::on(const std::string& path, const std::string& answer) {
  on(path, [answer](Connection& connection) { connection.send(answer); });
}

std::string HttpServer::url(const std::string& path) const {
  return (secure_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
}

void HttpServer::accept() {
  while (!ending_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpServer::serve(int socket) {
  std::unique_ptr<SSL, decltype(&SSL_free)> tls(nullptr, &SSL_free);
  if (secure_) {
    tls.reset(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), socket);
  }
  if (!secure_ || SSL_accept(tls.get()) == 1) {
    Connection connection(socket, tls.get());
    const std::string head = connection.read_head();
    const std::size_t begin = head.find(' ') + 1;
    if (!head.empty()) {
      ++asked_;
      Handler handler;
      {
        const std::lock_guard lock(mutex_);
        const auto found = handlers_.find(head.substr(begin, head.find(' ', begin) - begin));
        if (found != handlers_.end()) handler = found->second;
      }
      if (handler) {
        handler(connection);
      } else {
        connection.send(
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 7\r\n\r\nsecret\n");
      }
      if (tls) SSL_shutdown(tls.get());
    }
  }
  ::shutdown(socket, SHUT_RDWR);
}

void HttpServer::make_certificate() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
  require(key && made, "no memory for a certificate");
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 24L * 3600);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("a test of Freshet"), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), name);
  for (const auto& [kind, value] : {std::pair{NID_basic_constraints, "critical,CA:TRUE"},
                                    std::pair{NID_subject_alt_name, "IP:127.0.0.1"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    require(extension != nullptr, "an extension of the certificate");
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  require(X509_sign(made.get(), key.get(), EVP_sha256()) > 0, "sign");

  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_X509(text.get(), made.get());
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &bytes);
  certificate_.assign(bytes, static_cast<std::size_t>(size));

  context_.reset(SSL_CTX_new(TLS_server_method()));
  require(SSL_CTX_use_certificate(context_.get(), made.get()) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1, "key");
}

}  // namespace freshet::testing
