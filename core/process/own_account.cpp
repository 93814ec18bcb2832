#include "process/own_account.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "posix/file_io.h"
#include "process/started_process.h"

namespace freshet::core {
namespace {

// A copy that those do not meet who close all that they could have opened: the last number below the
// limit of this process, which is one less from then on.
int copy_out_of_reach(int descriptor) {
  constexpr rlim_t kHighest = rlim_t{1} << 16;  // what the kernel keeps grows with the number
  constexpr int kOutOfTheWay = 100;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > kOutOfTheWay) {
    const rlim_t number = std::min(limit.rlim_cur, kHighest) - 1;
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, static_cast<int>(number));
    limit.rlim_cur = number;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    if (copy >= 0) return copy;
  }
  return ::fcntl(descriptor, F_DUPFD_CLOEXEC, kOutOfTheWay);
}

}  // namespace

OwnAccount::OwnAccount() {
  struct stat facts {};
  if (::fstat(kOwnAccount, &facts) != 0 || !S_ISFIFO(facts.st_mode)) return;
  pipe_ = Descriptor(copy_out_of_reach(kOwnAccount));
  ::close(kOwnAccount);
  device_ = facts.st_dev;
  number_ = facts.st_ino;
}

void OwnAccount::give(const std::string& text) const {
  struct stat facts {};
  if (::fstat(pipe_.get(), &facts) != 0 || facts.st_dev != device_ || facts.st_ino != number_)
    return;
  static_cast<void>(write_all(pipe_.get(), text));
}

}  // namespace freshet::core
