#include "blobs/blob_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "blobs/stored_blobs.h"
#include "freshet/error.h"
#include "scratch_folder.h"

namespace freshet::core {
namespace {

using testing::names_in;
using testing::ScratchFolder;
using testing::text_of_file;

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class BlobStoreTest : public ::testing::Test {
 protected:
  Sha256 put(const std::string& content) {
    const Sha256 sha256 = Sha256::of(content);
    BlobUpload upload(store_, sha256, content.size());
    upload.append(content);
    upload.finish();
    return sha256;
  }

  ScratchFolder scratch_;
  BlobStore store_{scratch_ / "blobs"};
};

TEST_F(BlobStoreTest, ARemovedFileGoesWithTheFoldersOfItsSetsAndComesBack) {
  StoredBlobs blobs(scratch_.path());
  std::vector<JobModule> files;
  for (const char* name : {"one", "two"}) {
    const Sha256 sha256 = Sha256::of(std::string(name));
    const auto writer = blobs.begin(sha256.hex(), 3);
    writer->append(name);
    writer->finish();
    files.push_back({sha256.hex(), name, ModuleKind::kShipped});
  }
  const auto both = blobs.place(files);
  const auto second = blobs.place({files[1]});
  ASSERT_EQ(blobs.all().size(), 2u);
  blobs.remove(files[0].sha256);
  blobs.remove(files[0].sha256);
  EXPECT_EQ(blobs.all(), std::vector<std::string>{files[1].sha256});
  EXPECT_FALSE(std::filesystem::exists(both.at(files[1].sha256)));
  EXPECT_EQ(text_of_file(second.at(files[1].sha256)), "two") << "of another set";
  EXPECT_TRUE(contains(refusal([&] { blobs.place(files); }), "no file with sha256"));
  const auto writer = blobs.begin(files[0].sha256, 3);
  writer->append("one");
  writer->finish();
  EXPECT_EQ(text_of_file(blobs.place(files).at(files[0].sha256)), "one");
}

TEST_F(BlobStoreTest, AFileInPiecesIsThereWholeOnceFinished) {
  const Sha256 sha256 = Sha256::of("hello world");
  BlobUpload upload(store_, sha256, 11);
  upload.append("hello ");
  EXPECT_FALSE(store_.has(sha256));
  EXPECT_EQ(upload.received(), 6u);
  upload.append("world");
  EXPECT_FALSE(store_.has(sha256));
  upload.finish();
  EXPECT_TRUE(store_.has(sha256));
  EXPECT_EQ(store_.size_of(sha256), 11u);
  EXPECT_EQ(text_of_file(store_.path_of(sha256)), "hello world");
  EXPECT_EQ(names_in(store_.folder()), std::vector<std::string>{sha256.hex()});
  struct stat facts {};
  ASSERT_EQ(::stat(store_.folder().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
}

TEST_F(BlobStoreTest, IsReadInPieces) {
  const Sha256 sha256 = put("0123456789");
  EXPECT_EQ(store_.read(sha256, 0, 4), "0123");
  EXPECT_EQ(store_.read(sha256, 8, 4), "89");
  EXPECT_EQ(store_.read(sha256, 10, 4), "");
  EXPECT_EQ(store_.read(sha256, ~std::uint64_t{0}, 4), "");
  const Sha256 other = Sha256::of("elsewhere");
  EXPECT_TRUE(contains(refusal([&] { store_.read(other, 0, 1); }), other.hex()));
}

TEST_F(BlobStoreTest, WhatWasNotFinishedLeavesNothing) {
  { BlobUpload(store_, Sha256::of("never"), 5).append("nev"); }
  EXPECT_TRUE(names_in(store_.folder()).empty());
}

TEST_F(BlobStoreTest, OtherContentThanAnnouncedIsRefusedWithBothHashes) {
  BlobUpload upload(store_, Sha256::of("right"), 5);
  upload.append("wrong");
  const std::string said = refusal([&] { upload.finish(); });
  EXPECT_TRUE(contains(said, Sha256::of("right").hex())) << said;
  EXPECT_TRUE(contains(said, Sha256::of("wrong").hex())) << said;
  EXPECT_TRUE(names_in(store_.folder()).empty());
  EXPECT_TRUE(contains(refusal([&] { upload.append("x"); }), "is over"));
}

TEST_F(BlobStoreTest, MoreOrFewerBytesThanAnnouncedAreRefused) {
  BlobUpload more(store_, Sha256::of("abc"), 2);
  EXPECT_TRUE(contains(refusal([&] { more.append("abc"); }), "more than the 2 bytes"));
  BlobUpload fewer(store_, Sha256::of("abc"), 4);
  fewer.append("abc");
  EXPECT_TRUE(contains(refusal([&] { fewer.finish(); }), "3 bytes"));
  EXPECT_TRUE(names_in(store_.folder()).empty());
}

TEST_F(BlobStoreTest, AFullDiskIsAnErrorThatNamesTheFolderAndLeavesNothing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string content(10'000, 'x');
  const std::string said = refusal([&] { put(content); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(contains(said, store_.folder().native())) << said;
  EXPECT_TRUE(contains(said, "make room")) << said;
  EXPECT_TRUE(names_in(store_.folder()).empty());
}

TEST_F(BlobStoreTest, TwoUploadsOfOneContentAtOnceGiveOneFile) {
  const Sha256 sha256 = Sha256::of("same");
  BlobUpload one(store_, sha256, 4), two(store_, sha256, 4);
  one.append("same"), two.append("same");
  one.finish(), two.finish();
  EXPECT_EQ(names_in(store_.folder()), std::vector<std::string>{sha256.hex()});
}

TEST_F(BlobStoreTest, AFileOfThisHostIsCopied) {
  const std::string file = scratch_.write("given/app.so", "the application");
  const Sha256 sha256 = store_.add_file(file);
  EXPECT_EQ(sha256, Sha256::of("the application"));
  EXPECT_EQ(store_.add_file(file), sha256);
  EXPECT_EQ(text_of_file(store_.path_of(sha256)), "the application");
  EXPECT_TRUE(contains(refusal([&] { store_.add_file(scratch_ / "none"); }), "none"));
  EXPECT_TRUE(contains(refusal([&] { store_.add_file(scratch_.path()); }), scratch_.path()));
}

TEST_F(BlobStoreTest, FilesStandUnderTheirPlainNamesInAFolder) {
  const Sha256 a = put("one"), b = put("two");
  const std::string target = scratch_ / "app";
  store_.materialise({{"a.so", a}, {"b ü.txt", b}, {"c.so", a}}, target);
  EXPECT_EQ(names_in(target), (std::vector<std::string>{"a.so", "b ü.txt", "c.so"}));
  EXPECT_EQ(text_of_file(target + "/b ü.txt"), "two");
  store_.materialise({{"a.so", a}}, target);  // it is there
  EXPECT_EQ(names_in(target).size(), 3u);
}

TEST_F(BlobStoreTest, NamesThatAreNotPlainOrMeetAreRefusedAndNothingIsMade) {
  const Sha256 a = put("one");
  for (const std::string name : {"", ".", "..", "../x", "x/y", "/etc/passwd"})
    EXPECT_TRUE(contains(refusal([&] {
                           store_.materialise({{name, a}}, scratch_ / "app");
                         }),
                         "no plain file name"))
        << name;
  EXPECT_TRUE(contains(refusal([&] {
                         store_.materialise({{"x", a}, {"x", a}}, scratch_ / "app");
                       }),
                       "two files are named 'x'"));
  EXPECT_TRUE(contains(refusal([&] {
                         store_.materialise({{"x", Sha256::of("none")}}, scratch_ / "app");
                       }),
                       "'x'"));
  EXPECT_EQ(names_in(scratch_.path()), std::vector<std::string>{"blobs"});
}

TEST(ParseSha256, TakesSixtyFourDigitsOnly) {
  EXPECT_EQ(parse_sha256(Sha256::of("x").hex()), Sha256::of("x"));
  EXPECT_TRUE(contains(refusal([] { parse_sha256("../../etc/passwd"); }), "64 digits"));
}

}  // namespace
}  // namespace freshet::core
