#include "freshet/error.h"

namespace freshet {

Error::~Error() = default;
InvalidInput::~InvalidInput() = default;
Canceled::~Canceled() = default;

}  // namespace freshet
