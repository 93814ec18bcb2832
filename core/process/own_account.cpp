#include "process/own_account.h"

#include <sys/stat.h>

#include "process/started_process.h"

namespace freshet {
namespace {

constexpr int kOutOfTheWay = 100;  // of those who close what they do not know

}  // namespace

OwnAccount::OwnAccount() {
  struct stat facts {};
  if (::fstat(kOwnAccount, &facts) != 0 || !S_ISFIFO(facts.st_mode)) return;
  pipe_ = Descriptor(::fcntl(kOwnAccount, F_DUPFD_CLOEXEC, kOutOfTheWay));
  ::close(kOwnAccount);
  device_ = facts.st_dev;
  number_ = facts.st_ino;
}

void OwnAccount::give(const std::string& text) const {
  struct stat facts {};
  if (::fstat(pipe_.get(), &facts) != 0 || facts.st_dev != device_ || facts.st_ino != number_)
    return;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(pipe_.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace freshet
