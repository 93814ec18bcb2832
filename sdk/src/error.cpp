#include "freshet/error.h"

namespace freshet {

Error::~Error() = default;
InvalidInput::~InvalidInput() = default;
Canceled::~Canceled() = default;
CommitRefused::~CommitRefused() = default;

}  // namespace freshet
