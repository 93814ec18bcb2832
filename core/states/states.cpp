#include "states/states.h"

namespace freshet::core {

ForbiddenMove::ForbiddenMove(const std::string& what, const char* from, const char* to)
    : std::logic_error("internal error: " + what + " is " + from + " and can't become " + to +
                       ": report this as a bug of Freshet") {}
ForbiddenMove::~ForbiddenMove() = default;

}  // namespace freshet::core
