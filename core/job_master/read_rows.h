// Why a job is not run again once somebody has got rows of it; it follows the reason of its failure.
#pragma once

namespace freshet::core {

inline constexpr const char* kNotAgainAfterRows =
    "; it is not run again, because rows of it have been read already: collect them once it has "
    "finished, or write them somewhere";

}  // namespace freshet::core
