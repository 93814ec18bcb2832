#include "posix/file_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <string>
#include <thread>

#include "posix/descriptor.h"

namespace freshet::core {
namespace {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reading = Descriptor(ends[0]);
    writing = Descriptor(ends[1]);
  }
  Descriptor reading, writing;
};

std::string many_bytes() {
  std::string bytes(std::size_t{1} << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

TEST(FileIo, AllIsWrittenAlthoughSignalsInterrupt) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const std::string sent = many_bytes();
  Pipe pipe;
  int error = -1;
  std::thread writer([&] {
    error = write_all(pipe.writing.get(), sent);
    pipe.writing.close();
  });
  std::string received, block(4'096, '\0');
  for (ssize_t got = 0; (got = read_some(pipe.reading.get(), block.data(), block.size())) > 0;) {
    received.append(block, 0, static_cast<std::size_t>(got));
    ::pthread_kill(writer.native_handle(), SIGUSR1);  // mostly, it waits for room
  }
  writer.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(error, 0);
  EXPECT_TRUE(received == sent);
}

TEST(FileIo, WhyNotAllWasWritten) {
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write_all(full.get(), "rain"), ENOSPC);
  EXPECT_EQ(write_all(full.get(), ""), 0);
  EXPECT_EQ(write_all(-1, "rain"), EBADF);
}

TEST(FileIo, APartIsReadUpToTheEndOfTheFile) {
  const Descriptor file = memory_file("rain and melt");
  std::string bytes(8, 'x');
  EXPECT_EQ(read_at(file.get(), 5, bytes.data(), 3), 3);
  EXPECT_EQ(bytes, "andxxxxx");
  EXPECT_EQ(read_at(file.get(), 9, bytes.data(), bytes.size()), 4);
  EXPECT_EQ(bytes, "meltxxxx");
  EXPECT_EQ(read_at(file.get(), 100, bytes.data(), bytes.size()), 0);
  EXPECT_EQ(read_at(-1, 0, bytes.data(), bytes.size()), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST(Descriptor, ClosesOnce) {
  Pipe pipe;
  char byte = 0;
  Descriptor moved = std::move(pipe.writing);
  EXPECT_EQ(pipe.writing.get(), -1);
  EXPECT_EQ(write_all(moved.get(), "r"), 0);
  moved = Descriptor();
  EXPECT_EQ(read_some(pipe.reading.get(), &byte, 1), 1);
  EXPECT_EQ(read_some(pipe.reading.get(), &byte, 1), 0);  // no writer is left
}

TEST(Descriptor, AFileInMemoryIsAtItsBeginning) {
  const Descriptor file = memory_file(many_bytes());
  std::string bytes(many_bytes().size() + 1, '\0');
  const ssize_t got = read_at(file.get(), 0, bytes.data(), bytes.size());
  ASSERT_EQ(got, static_cast<ssize_t>(many_bytes().size()));
  bytes.pop_back();
  EXPECT_TRUE(bytes == many_bytes());
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 0);
}

}  // namespace
}  // namespace freshet::core
