// The receiving end of channels between workers.
#include "exchange/remote_receiver.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "freshet/plugin/record_type.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

class CountedGrants final : public CreditSink {
 public:
  void grant(const std::vector<CreditGrant>& grants) override {
    for (const CreditGrant& grant : grants) credits += grant.credits;
  }
  std::uint32_t credits = 0;
};

std::unique_ptr<NetworkMessage> frame_of(std::uint32_t channel, int batches) {
  ByteWriter writer;
  write_frame_header(writer, channel);
  for (int i = 0; i < batches; ++i) {
    Batch batch(record_type<std::int64_t>(), 1024);
    batch.rows<std::int64_t>()[0] = i;
    batch.set_size(1);
    write_element(writer, {Element::Kind::batch, &batch});
  }
  auto frame = std::make_unique<NetworkMessage>();
  zmq_msg_t& raw = *frame;
  zmq_msg_init_size(&raw, writer.size());
  std::memcpy(zmq_msg_data(&raw), writer.data(), writer.size());
  return frame;
}

// One batch in all: the second of the frame waits for the first.
struct ShortOfBatches {
  ShortOfBatches() {
    EXPECT_TRUE(input->put(frame_of(0, 2)));
    fibers.start("receiver", [this] {
      receiver->run([](std::uint32_t) -> const RecordType& { return record_type<std::int64_t>(); });
    });
    fibers.run_until_idle();
  }
  ~ShortOfBatches() { end(); }
  void end() {
    if (fibers.ended("receiver")) return;
    fibers.cancel("receiver");
    fibers.run_until_idle();
  }
  void take_one() {
    Element element;
    ASSERT_TRUE(channel.pop(element));
    channel.give_back(element.batch);
  }
  TestFibers fibers;
  CountedGrants grants;
  BufferBudget budget{1024, 1024};
  std::unique_ptr<RemoteReceiver> receiver = std::make_unique<RemoteReceiver>(grants);
  Channel channel{receiver->waiter(), fibers.waiter("reader"), budget, {}};
  RemoteReceiver::Input* input = &receiver->add(channel, 0, 0, 1, {4, 4});
};

TEST(RemoteReceiver, WaitsForABatchWhileTheyAreShortAndKeepsItsFrame) {
  ShortOfBatches test;
  EXPECT_TRUE(test.fibers.waiting("receiver"));
  EXPECT_EQ(test.channel.size(), 1u);
  EXPECT_EQ(test.grants.credits, 4u);  // none for the frame that it reads
  test.take_one();
  test.fibers.run_until_idle();
  EXPECT_EQ(test.grants.credits, 5u);
  test.take_one();
  EXPECT_TRUE(test.channel.empty());
}

TEST(RemoteReceiver, ThatEndsLeavesTheLineOfThoseThatWaitForABatch) {
  ShortOfBatches test;
  EXPECT_TRUE(test.budget.short_of_batches());
  test.end();
  test.receiver.reset();
  EXPECT_FALSE(test.budget.short_of_batches());  // else its waiter is woken after its end
}

TEST(RemoteReceiver, HoldsNoBatchWhileNothingComes) {
  ShortOfBatches test;
  test.take_one();
  test.fibers.run_until_idle();
  test.take_one();
  test.fibers.run_until_idle();
  EXPECT_EQ(test.budget.borrowed(), 0);
  EXPECT_TRUE(test.input->put(frame_of(0, 1)));
  test.fibers.run_until_idle();
  test.take_one();
  EXPECT_EQ(test.budget.borrowed(), 0) << "nor what comes back meanwhile";
}

}  // namespace
}  // namespace freshet::core
