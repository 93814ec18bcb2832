#include "security/keys.h"

#include <gtest/gtest.h>

#include "freshet/error.h"

namespace freshet::core {
namespace {

TEST(Keys, AreNewEachTimeAndTheSecretHalfTellsThePublicOne) {
  const KeyPair one = make_key_pair(), other = make_key_pair();
  EXPECT_EQ(one.public_key.size(), 40u);
  EXPECT_NE(one.secret_key, other.secret_key);
  EXPECT_EQ(key_pair_of(one.secret_key).public_key, one.public_key);
}

TEST(Keys, RefuseASecretKeyThatIsNone) {
  EXPECT_THROW(key_pair_of(""), InvalidInput);
  EXPECT_THROW(key_pair_of(std::string(39, 'a')), InvalidInput);
  EXPECT_THROW(key_pair_of(std::string(41, 'a')), InvalidInput);
  EXPECT_THROW(key_pair_of(std::string(40, ' ')), InvalidInput);
  EXPECT_THROW(key_pair_of(std::string(40, '\xe4')), InvalidInput);
}

}  // namespace
}  // namespace freshet::core
