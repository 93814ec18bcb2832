#include "security/owner_only.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "freshet/error.h"
#include "network/endpoint.h"

namespace freshet::core {
namespace {

class OwnerOnly : public ::testing::Test {
 protected:
  OwnerOnly() {
    std::string made = "/tmp/freshet owner-only \xc3\xa4.XXXXXX";
    folder = mkdtemp(made.data());
  }
  ~OwnerOnly() override {
    unsetenv("XDG_RUNTIME_DIR");
    std::filesystem::remove_all(folder);
  }
  static mode_t mode_of(const std::string& path) {
    struct stat status;
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  template <class F>
  static std::string refusal(F f) {
    try {
      f();
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "not refused";
  }
  static void expect_has(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  std::string folder;
};

TEST_F(OwnerOnly, KeyFilesAreReadBackAndOnlyTheirOwnerReadsThem) {
  const KeyPair keys = make_key_pair();
  const std::string path = folder + "/key";
  write_key_file(path, keys);
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(read_key_file(path).secret_key, keys.secret_key);
  EXPECT_EQ(read_key_file(path).public_key, keys.public_key);
}

TEST_F(OwnerOnly, AFileThatOthersMayReadIsRefusedWithItsMode) {
  const std::string path = folder + "/key";
  write_key_file(path, make_key_pair());
  for (mode_t mode : {0640u, 0604u, 0660u, 0602u}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const std::string text = refusal([&] { read_key_file(path); });
    expect_has(text, "'" + path + "' has mode 06");
    expect_has(text, "chmod 0600");
  }
}

TEST_F(OwnerOnly, AFileOfAnotherUserIsRefused) {
  std::string path = "/etc/passwd";
  if (geteuid() == 0) {
    path = folder + "/key";
    write_key_file(path, make_key_pair());
    ASSERT_EQ(chown(path.c_str(), 12'345, 12'345), 0);
  }
  expect_has(refusal([&] { read_owner_only_file(path); }), "belongs to user ");
}

TEST_F(OwnerOnly, ALinkAFolderAPipeAndNothingAreNoFile) {
  write_key_file(folder + "/key", make_key_pair());
  std::filesystem::create_symlink(folder + "/key", folder + "/link");
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  make_owner_only_folder(folder + "/folder");
  expect_has(refusal([&] { read_key_file(folder + "/link"); }), "is a symbolic link");
  expect_has(refusal([&] { read_key_file(folder + "/pipe"); }), "is no file");
  expect_has(refusal([&] { read_key_file(folder + "/folder"); }), "is no file");
  expect_has(refusal([&] { read_key_file(folder + "/nothing"); }), "No such file");
}

TEST_F(OwnerOnly, AFileThatHoldsNoKeysIsRefusedWithoutShowingIt) {
  const std::string path = folder + "/key";
  const KeyPair keys = make_key_pair();
  for (const std::string& text :
       {std::string(), std::string("hunter2"), "secret " + keys.secret_key + "\n",
        "public " + make_key_pair().public_key + "\nsecret " + keys.secret_key + "\n",
        std::string(5'000, 'x')}) {
    write_owner_only_file(path, text);
    const std::string why = refusal([&] { read_key_file(path); });
    expect_has(why, "'" + path + "' ");
    EXPECT_EQ(why.find("hunter2"), std::string::npos);
    EXPECT_EQ(why.find(keys.secret_key), std::string::npos);
  }
}

TEST_F(OwnerOnly, WritingReplacesALinkAndNotWhatItLeadsTo) {
  std::ofstream(folder + "/victim") << "precious";
  std::filesystem::create_symlink(folder + "/victim", folder + "/record");
  write_owner_only_file(folder + "/record", "new");
  EXPECT_EQ(read_owner_only_file(folder + "/record"), "new");
  std::string text;
  std::getline(std::ifstream(folder + "/victim"), text);
  EXPECT_EQ(text, "precious");
}

TEST_F(OwnerOnly, WritingWhereNothingCanBeLeavesNothing) {
  expect_has(refusal([&] { write_owner_only_file(folder + "/none/record", "x"); }),
             "can't be written");
  std::filesystem::create_directory(folder + "/taken");
  expect_has(refusal([&] { write_owner_only_file(folder + "/taken", "x"); }), "can't be written");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(OwnerOnly, FoldersAreMadeAndCheckedWhenThere) {
  const std::string path = folder + "/sockets";
  make_owner_only_folder(path);
  EXPECT_EQ(mode_of(path), 0700u);
  make_owner_only_folder(path);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  expect_has(refusal([&] { make_owner_only_folder(path); }), "has mode 0755");
  std::filesystem::create_directory_symlink(path, folder + "/link");
  expect_has(refusal([&] { make_owner_only_folder(folder + "/link"); }), "is a symbolic link");
  std::ofstream(folder + "/file") << "x";
  expect_has(refusal([&] { make_owner_only_folder(folder + "/file"); }), "can't be opened");
  expect_has(refusal([&] { make_owner_only_folder(folder + "/none/below"); }), "can't be made");
}

TEST_F(OwnerOnly, TheRuntimeFolderIsXdgsIfThatIsOwnerOnlyElseOneInTmp) {
  const std::string in_tmp = "/tmp/freshet-" + std::to_string(geteuid());
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(owner_only_runtime_folder(), in_tmp);
  setenv("XDG_RUNTIME_DIR", "relative", 1);
  EXPECT_EQ(owner_only_runtime_folder(), in_tmp);
  setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  EXPECT_EQ(owner_only_runtime_folder(), folder + "/freshet");
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
  EXPECT_EQ(owner_only_runtime_folder(), in_tmp);
}

TEST_F(OwnerOnly, PathsThatAreTooLongForASocketAreShortened) {
  setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  EXPECT_EQ(ipc_endpoint(folder + "/sockets", "control"), "ipc://" + folder + "/sockets/control");
  const std::string name(107, 'n');
  const std::string shortened = ipc_endpoint(folder + "/sockets", name);
  EXPECT_EQ(shortened, ipc_endpoint(folder + "/sockets", name));
  EXPECT_NE(shortened, ipc_endpoint(folder + "/sockets", name + "n"));
  expect_has(shortened, folder + "/freshet/");
  EXPECT_NO_THROW(parse_endpoint(shortened));
  const std::string deep = folder + "/" + std::string(90, 'd');
  make_owner_only_folder(deep);
  setenv("XDG_RUNTIME_DIR", deep.c_str(), 1);
  expect_has(ipc_endpoint(folder + "/sockets", name), "ipc:///tmp/freshet-");
}

}  // namespace
}  // namespace freshet::core
