#include "security/sha256.h"

#include "../plugin_catalog/test_modules.h"
#include "freshet/error.h"

namespace freshet::core {
namespace {

TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(Sha256::of("").hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256::of("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesGiveWhatTheWholeGives) {
  const std::string text(100000, 'r');
  Sha256Stream stream;
  for (std::size_t at = 0; at < text.size(); at += 777)
    stream.update(text.data() + at, std::min<std::size_t>(777, text.size() - at));
  EXPECT_EQ(stream.finish(), Sha256::of(text));
}

TEST(Sha256, AFileGivesWhatItsContentGives) {
  test_modules::ScratchFolder folder;
  const std::string text(1000000, 'x');
  EXPECT_EQ(Sha256::of_file(folder.write("file", text)), Sha256::of(text));
  EXPECT_THROW(Sha256::of_file(folder / "absent"), InvalidInput);
  EXPECT_THROW(Sha256::of_file(folder.path()), InvalidInput);
}

TEST(Sha256, ReadsItsOwnTextAndNothingElse) {
  const Sha256 sha = Sha256::of("abc");
  EXPECT_EQ(Sha256::from_hex(sha.hex()), sha);
  EXPECT_EQ(Sha256::from_hex(""), std::nullopt);
  EXPECT_EQ(Sha256::from_hex(sha.hex().substr(1)), std::nullopt);
  EXPECT_EQ(Sha256::from_hex("g" + sha.hex().substr(1)), std::nullopt);
  EXPECT_EQ(sha.short_hex(), sha.hex().substr(0, 12));
}

}  // namespace
}  // namespace freshet::core
