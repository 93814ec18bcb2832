#include "simulation/simulated_host.h"

#include "freshet/error.h"
#include "security/sha256.h"

namespace freshet::core {

SeededIds::SeededIds(std::uint64_t seed) : random_(seed) {}
SeededIds::~SeededIds() = default;

std::string SeededIds::draw() {
  constexpr std::size_t kDigits = 32;
  std::string text;
  while (text.size() < kDigits) text += "0123456789abcdef"[random_.below(16)];
  return text;
}

KeyPair SeededIds::draw_keys() {
  const std::string both = draw() + "0123456";
  return {"p" + both, "s" + both};
}

PublicKey public_half(const std::string& secret_key) { return "p" + secret_key.substr(1); }

// ---- files --------------------------------------------------------------------------------------

namespace {

class WriterInMemory final : public BlobWriter {
 public:
  WriterInMemory(std::map<std::string, std::string>& blobs, std::string sha256, std::uint64_t size)
      : blobs_(blobs), sha256_(std::move(sha256)), size_(size) {}
  std::uint64_t received() const override { return content_.size(); }
  std::uint64_t size() const override { return size_; }
  void append(std::string_view bytes) override {
    if (content_.size() + bytes.size() > size_) {
      throw InvalidInput("file " + sha256_ + " is longer than the " + std::to_string(size_) +
                         " bytes that were announced");
    }
    content_ += bytes;
  }
  void finish() override {
    if (content_.size() != size_ || Sha256::of(content_).hex() != sha256_) {
      throw InvalidInput("file " + sha256_ + " has other content than its hash says");
    }
    blobs_[sha256_] = std::move(content_);
  }

 private:
  std::map<std::string, std::string>& blobs_;
  const std::string sha256_;
  const std::uint64_t size_;
  std::string content_;
};

}  // namespace

BlobsInMemory::~BlobsInMemory() = default;

bool BlobsInMemory::has(const std::string& sha256) const { return blobs_.count(sha256) != 0; }

const std::string& BlobsInMemory::content(const std::string& sha256) const {
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end()) throw InvalidInput("no file has sha256 '" + sha256 + "' here");
  return found->second;
}

std::uint64_t BlobsInMemory::size_of(const std::string& sha256) const {
  return content(sha256).size();
}

std::string BlobsInMemory::read(const std::string& sha256, std::uint64_t offset,
                                std::size_t max_bytes) const {
  const std::string& whole = content(sha256);
  return offset >= whole.size() ? "" : whole.substr(offset, max_bytes);
}

std::unique_ptr<BlobWriter> BlobsInMemory::begin(const std::string& sha256, std::uint64_t size) {
  return std::make_unique<WriterInMemory>(blobs_, sha256, size);
}

std::map<std::string, std::string> BlobsInMemory::place(const std::vector<JobModule>& files) {
  std::map<std::string, std::string> paths;
  for (const JobModule& file : files) {
    static_cast<void>(content(file.sha256));
    paths[file.sha256] = "/apps/set/" + file.name;
  }
  return paths;
}

std::vector<std::string> BlobsInMemory::all() const {
  std::vector<std::string> all;
  for (const auto& [sha256, content] : blobs_) all.push_back(sha256);
  return all;
}

std::string BlobsInMemory::add(std::string content) {
  const std::string sha256 = Sha256::of(content).hex();
  blobs_[sha256] = std::move(content);
  return sha256;
}

// ---- what URLs give -----------------------------------------------------------------------------

SimulatedFetcher::SimulatedFetcher(ControlThread& thread, BlobsInMemory& blobs, std::uint64_t seed)
    : thread_(thread), blobs_(blobs), random_(seed) {}
SimulatedFetcher::~SimulatedFetcher() = default;

Future<std::string> SimulatedFetcher::fetch(const WireArtifact& artifact, ArtifactUse,
                                            const FetchWish& wish) {
  auto promise = std::make_shared<Promise<std::string>>();
  constexpr std::uint64_t kSlowestMs = 400;
  thread_.after_ms(
      static_cast<std::int64_t>(random_.below(kSlowestMs)), "fetch",
      [this, promise, wish, url = artifact.url] {
        if (!*wish) {
          promise->set_error(std::make_exception_ptr(Canceled("'" + url + "' is not wanted")));
        } else if (url.find("missing") != std::string::npos) {
          promise->set_error(std::make_exception_ptr(InvalidInput("'" + url + "' is not there")));
        } else {
          promise->set_value(blobs_.add(url));
        }
      });
  return promise->future();
}

}  // namespace freshet::core
