// Visibility of what the SDK's shared library exports, and the SDK's version.
#pragma once

#if defined(__GNUC__)
#define FRESHET_API __attribute__((visibility("default")))
#define FRESHET_HIDDEN __attribute__((visibility("hidden")))
// For what must end up inside the loop that calls it; a lambda takes it behind its parameters.
#define FRESHET_INLINE __attribute__((always_inline))
#else
#error "Freshet needs gcc 12, clang 14 or newer"
#endif

#define FRESHET_VERSION_STRING "0.1.0"

namespace freshet {

// The version of the SDK library that is loaded, e.g. "0.1.0". A headers' version that differs
// from it is not an error as long as the ABI version of plugin.h is the same.
FRESHET_API const char* sdk_version() noexcept;

}  // namespace freshet
