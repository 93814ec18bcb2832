#include "client/uploads.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "modules/module_registry.h"
#include "rare_paths/rare_paths.h"
#include "security/sha256.h"

namespace freshet::core {
namespace {

std::function<std::string(std::uint64_t, std::size_t)> reader_of(const std::string& path) {
  return [path](std::uint64_t offset, std::size_t at_most) {
    std::ifstream file(path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    std::string bytes(at_most, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(at_most));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (bytes.empty()) {
      throw InvalidInput("file '" + path + "' could not be read at offset " +
                         std::to_string(offset) + ", or has become shorter meanwhile");
    }
    return bytes;
  };
}

// One upload after the other, chunk after chunk.
class Upload final : public std::enable_shared_from_this<Upload> {
 public:
  Upload(std::shared_ptr<ClientSession> session, std::vector<ClientFile> files)
      : session_(std::move(session)), files_(std::move(files)) {}

  Future<void> start() {
    auto future = promise_.future();
    next_file();
    return future;
  }

 private:
  void next_file() {
    if (at_ == files_.size()) {
      promise_.set_value();
      return;
    }
    offset_ = 0;
    PutBlob message;
    message.sha256 = files_[at_].sha256;
    message.size = files_[at_].size;
    step(session_->ask(message), [this](const PutBlob::Answer& answer) {
      upload_ = answer.upload;
      if (answer.known) {
        ++at_;
        next_file();
      } else {
        next_chunk();
      }
    });
  }

  void next_chunk() {
    BlobChunk message;
    message.upload = upload_;
    message.offset = offset_;
    const bool small = takes_rare_path(RarePath::kUploadInSmallChunks);
    message.bytes = files_[at_].read(offset_, small ? kBlobChunk / 8 : kBlobChunk);
    offset_ += message.bytes.size();
    step(session_->ask(std::move(message), Repeat::kNever), [this](const Done&) {
      if (offset_ < files_[at_].size) {
        next_chunk();
      } else {
        ++at_;
        next_file();
      }
    });
  }

  template <class T, class F>
  void step(const Future<T>& future, F go_on) {
    const auto ignored = future.then([self = shared_from_this(), go_on](const Future<T>& done) {
      try {
        go_on(done.get());
      } catch (const LinkLost&) {
        passes_rare_path(RarePath::kUploadBegunAgain);
        self->next_file();  // uploads belong to their link: this file begins anew
      } catch (...) {
        self->promise_.set_error(std::current_exception());
      }
    });
    static_cast<void>(ignored);
  }

  const std::shared_ptr<ClientSession> session_;
  const std::vector<ClientFile> files_;
  std::size_t at_ = 0;
  std::uint64_t upload_ = 0, offset_ = 0;
  Promise<void> promise_;
};

}  // namespace

ClientFile file_on_disk(const std::string& path) {
  ClientFile file;
  std::error_code error;
  file.size = std::filesystem::file_size(path, error);
  if (error) {
    throw InvalidInput("file '" + path + "' can't be read: " + error.message());
  }
  file.name = std::filesystem::path(path).filename().native();
  file.sha256 = Sha256::of_file(path).hex();
  file.read = reader_of(path);
  return file;
}

std::optional<ClientFile> loaded_module_file(const JobModule& module) {
  const auto sha256 = Sha256::from_hex(module.sha256);
  const LoadedModule* loaded = sha256 ? ModuleRegistry::instance().find(*sha256) : nullptr;
  if (!loaded) return std::nullopt;
  ClientFile file;
  file.name = module.name;
  file.sha256 = module.sha256;
  file.size = std::filesystem::file_size(loaded->path());
  file.read = reader_of(loaded->path().native());
  return file;
}

Future<void> upload(std::shared_ptr<ClientSession> session, std::vector<ClientFile> files) {
  return std::make_shared<Upload>(std::move(session), std::move(files))->start();
}

}  // namespace freshet::core
