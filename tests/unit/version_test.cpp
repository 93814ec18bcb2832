#include <gtest/gtest.h>

#include "freshet/api.h"

TEST(Version, OfTheLibraryIsThatOfTheHeaders) {
  EXPECT_STREQ(freshet::sdk_version(), FRESHET_VERSION_STRING);
}
