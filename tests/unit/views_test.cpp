#include "freshet/views.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace freshet {
namespace {

struct Point {
  int x, y;
};
struct Named {
  std::string name;
  Point point;
};
class Buffer {
 public:
  explicit Buffer(std::size_t size) : bytes_(size) {}
  std::size_t size() const { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

}  // namespace

template <>
struct HeapBytes<Buffer> {
  static std::size_t of(const Buffer& buffer) { return buffer.size(); }
};

namespace {

using std::string;
using std::string_view;
template <class A, class B>
inline constexpr bool same = std::is_same_v<A, B>;

using Nested = std::tuple<int, std::optional<std::pair<string_view, string>>>;

static_assert(is_view_v<string_view> && is_view_v<const string_view> && is_view_v<Nested>);
static_assert(!is_view_v<string> && !is_view_v<Point> && !is_view_v<std::pair<int, string>>);
static_assert(same<Owned<string_view>, string> && same<Owned<string>, string>);
static_assert(same<Owned<int>, int> && same<Owned<Named>, Named>);
static_assert(same<Owned<Nested>, std::tuple<int, std::optional<std::pair<string, string>>>>);
static_assert(same<Owned<std::vector<int>>, std::vector<int>>);

static_assert(!has_heap_bytes_v<int> && !has_heap_bytes_v<Point> && !has_heap_bytes_v<string_view>);
static_assert(!has_heap_bytes_v<std::pair<int, double>> && !has_heap_bytes_v<std::optional<int>>);
static_assert(has_heap_bytes_v<string> && has_heap_bytes_v<Named> && has_heap_bytes_v<Buffer>);
static_assert(has_heap_bytes_v<std::pair<int, string>> && has_heap_bytes_v<std::array<string, 2>>);
static_assert(has_heap_bytes_v<std::variant<int, string>> && has_heap_bytes_v<std::vector<int>>);

// Memory whose end the sanitizers watch.
struct Blocks {
  std::vector<std::unique_ptr<char[]>> blocks;
  std::vector<std::size_t> sizes;
  auto allocate() {
    return [this](std::size_t size) {
      blocks.push_back(std::make_unique<char[]>(size));
      sizes.push_back(size);
      return blocks.back().get();
    };
  }
};

TEST(Views, OwnedValuesOutliveWhatTheyWereViewsOf) {
  auto line = std::make_unique<string>("rain that is too long to lie inside of a string");
  const Nested view(7, std::pair<string_view, string>(*line, "melt"));
  const Owned<Nested> owned = to_owned(view);
  line.reset();
  EXPECT_EQ(std::get<1>(owned)->first, "rain that is too long to lie inside of a string");
  EXPECT_EQ(std::get<1>(owned)->second, "melt");
  EXPECT_FALSE(std::get<1>(to_owned(Nested(1, std::nullopt))).has_value());
}

TEST(Views, AreCopiedIntoTheMemoryTheyAreGiven) {
  Blocks memory;
  auto line = std::make_unique<string>("rain melt");
  const std::tuple<string_view, int, std::optional<string_view>> view(
      string_view(*line).substr(0, 4), 5, string_view(*line).substr(5));
  const auto copy = copy_views(view, memory.allocate());
  EXPECT_EQ(copy, view);
  line->assign(9, '#');
  EXPECT_EQ(std::get<0>(copy), "rain");
  EXPECT_EQ(std::get<2>(copy), "melt");
  EXPECT_EQ(memory.sizes, (std::vector<std::size_t>{4, 4}));
}

TEST(Views, NeedNoMemoryWhenThereIsNothingToCopy) {
  Blocks memory;
  EXPECT_EQ(copy_views(string_view(), memory.allocate()), "");
  EXPECT_EQ(copy_views(string("rain"), memory.allocate()), "rain");
  EXPECT_EQ(copy_views(7, memory.allocate()), 7);
  EXPECT_TRUE(memory.blocks.empty());
}

TEST(HeapBytes, CountWhatAValueHoldsBeyondItself) {
  const string inside = "rain";
  string outside(100, 'x');
  outside.shrink_to_fit();
  EXPECT_EQ(heap_bytes(5), 0u);
  EXPECT_EQ(heap_bytes(inside), 0u);
  EXPECT_EQ(heap_bytes(outside), 101u);
  EXPECT_EQ(heap_bytes(string_view(outside)), 0u);
  EXPECT_EQ(heap_bytes(Named{outside, {1, 2}}), 101u);
  EXPECT_EQ(heap_bytes(std::pair(1, outside)), 101u);
  EXPECT_EQ(heap_bytes(std::optional(outside)), 101u);
  EXPECT_EQ(heap_bytes(std::optional<string>()), 0u);
  EXPECT_EQ(heap_bytes(std::variant<int, string>(outside)), 101u);
  EXPECT_EQ(heap_bytes(std::variant<int, string>(1)), 0u);
  EXPECT_EQ(heap_bytes(std::array<string, 2>{outside, outside}), 202u);
  EXPECT_EQ(heap_bytes(std::vector<int>(10)), 40u);
  EXPECT_EQ(heap_bytes(std::vector<string>(2, outside)), 2 * sizeof(string) + 202);
  EXPECT_EQ(heap_bytes(std::vector<Buffer>(2, Buffer(50))), 2 * sizeof(Buffer) + 100);
  EXPECT_GE(heap_bytes(std::map<int, string>{{1, outside}, {2, inside}}), 2 * 40 + 101u);
  EXPECT_GE(heap_bytes(std::unordered_map<int, int>{{1, 1}}), 8u);
}

}  // namespace
}  // namespace freshet
