// samples/nexmark as people run it. The oracle reads the same JSON lines with another library and
// answers each query in a loop.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fr_run.h"
#include "generator.h"
#include "nexmark_json.h"
#include "rows.h"

namespace {

using namespace freshet::testing;
using nlohmann::json;

constexpr int kEvents = 20'000;
constexpr int kSeed = 11;

std::vector<std::string> generated_lines(int events = kEvents) {
  std::vector<std::string> lines;
  const nexmark::Generator generator(kSeed);
  for (int n = 0; n < events; ++n) {
    lines.push_back(json_line(generator(static_cast<std::uint64_t>(n))));
  }
  return lines;
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::to_string(value.get<long long>());
}

std::string row(const json& bid, const std::vector<const char*>& columns) {
  std::string row;
  for (const char* column : columns) row += (row.empty() ? "" : "\t") + text(bid.at(column));
  return row;
}

// Every query's rows for a bid; "" for none.
std::string answer(const std::string& query, const json& bid) {
  if (query == "q0") {
    return row(bid, {"auction", "bidder", "price", "channel", "url", "dateTime", "extra"});
  }
  if (query == "q1") {
    char price[64];
    std::snprintf(price, sizeof price, "%.3Lf", bid.at("price").get<long double>() * 0.908L);
    return row(bid, {"auction", "bidder"}) + "\t" + price + "\t" + row(bid, {"dateTime"});
  }
  return bid.at("auction").get<long>() % 123 == 0 ? row(bid, {"auction", "price"}) : "";
}

std::vector<std::string> expected_rows(const std::string& query,
                                       const std::vector<std::string>& lines) {
  std::vector<std::string> rows;
  for (const std::string& line : lines) {
    const json event = json::parse(line);
    if (event.at("type") != "bid") continue;
    const std::string made = answer(query, event);
    if (!made.empty()) rows.push_back(made);
  }
  return sorted(rows);
}

class Nexmark : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments, int parallelism = 1) const {
    std::vector<std::string> all{path_from("FRESHET_TEST_NEXMARK"), "--target=local",
                                 "--parallelism=" + std::to_string(parallelism)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return fr_run_(all);
  }
  std::vector<std::string> rows(std::vector<std::string> arguments, int parallelism) const {
    const std::string output = folder_ / ("out-" + std::to_string(++outputs_));
    arguments.insert(arguments.end(), {"--output", output});
    const Outcome outcome = run(arguments, parallelism);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.errors, "");
    return sorted_rows(output, parallelism);
  }
  std::vector<std::string> rows_of_generated(const std::string& query, int parallelism) const {
    return rows(
        {"--query", query, "--events", std::to_string(kEvents), "--seed", std::to_string(kSeed)},
        parallelism);
  }
  std::string write_lines(const std::string& name, const std::vector<std::string>& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line;
    return folder_.write(name, text);
  }

  ScratchFolder folder_;
  FrRun fr_run_;
  mutable int outputs_ = 0;
};

TEST_F(Nexmark, AnswersAsTheOracleDoesFromAFileAndFromTheGenerator) {
  const auto lines = generated_lines();
  const std::string file = write_lines("events.jsonl", lines);
  for (const std::string query : {"q0", "q1", "q2"}) {
    const auto expected = expected_rows(query, lines);
    ASSERT_GT(expected.size(), 10U) << query;
    for (const int parallelism : {1, 4}) {
      EXPECT_EQ(rows({"--query", query, "--input", file}, parallelism), expected) << query;
      EXPECT_EQ(rows_of_generated(query, parallelism), expected) << query;
    }
  }
}

TEST_F(Nexmark, ReadsTheFilesOfAFolderOrAPattern) {
  const auto lines = generated_lines(300);
  const auto middle = lines.begin() + 111;
  write_lines("in/a.jsonl", {lines.begin(), middle});
  write_lines("in/b.jsonl", {middle, lines.end()});
  folder_.write("in/c.txt", "\n\n");  // empty lines are none
  EXPECT_EQ(rows({"--query=q0", "--input", folder_ / "in"}, 2), expected_rows("q0", lines));
  EXPECT_EQ(rows({"--query=q0", "--input", folder_ / "in/b*"}, 1),
            expected_rows("q0", {middle, lines.end()}));
}

TEST_F(Nexmark, TakesFieldsInAnyOrderAndTextOfAnyKind) {
  const std::string line =
      "{\"extra\":\"\", \"url\":\"\\u00e9\\\"\", \"channel\":\"gr\\u00fc\\u00df\",\"dateTime\":5,"
      "\"price\":1,\"auction\":123,\"bidder\":-7, \"more\":[1,{}],\"type\":\"bid\"}\r\n";
  const std::string file = folder_.write("in", line);
  EXPECT_EQ(rows({"--query=q0", "--input", file}, 1),
            std::vector<std::string>{"123\t-7\t1\tgr\xc3\xbc\xc3\x9f\t\xc3\xa9\"\t5\t"});
  EXPECT_EQ(rows({"--query=q1", "--input", file}, 1),
            std::vector<std::string>{"123\t-7\t0.908\t5"});
}

TEST_F(Nexmark, GivesNothingForEmptyInputAndForNoEvents) {
  EXPECT_TRUE(rows({"--query=q0", "--input", folder_.write("empty", "")}, 3).empty());
  EXPECT_TRUE(rows({"--query=q0", "--events=0"}, 2).empty());
  EXPECT_TRUE(rows({"--query=q0", "--events=4"}, 1).empty());  // no bid among them
  EXPECT_EQ(rows({"--query=q0", "--events=5"}, 1).size(), 1U);
}

TEST_F(Nexmark, HoldsItsRate) {
  const Outcome outcome = run({"--query=q2", "--events=300", "--rate=1000"}, 2);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_GE(outcome.seconds, 0.25);
}

TEST_F(Nexmark, NamesWhatIsWrongWithALine) {
  const std::map<std::string, std::string> cases{
      {"{\"type\":\"bid\",\"auction\":1", "not an event, it is no JSON ("},
      {"hello", "not an event, it is no JSON ("},
      {"[1,2]", "not an event, it is no JSON object: [1,2]"},
      {"{\"auction\":1}", "not an event, it has no 'type': {\"auction\":1}"},
      {"{\"type\":7}", "not an event, 'type' is not a string: {\"type\":7}"},
      {"{\"type\":\"sale\"}", "'type' is 'sale' and neither person, auction nor bid"},
      {"{\"type\":\"bid\",\"auction\":1,\"bidder\":2}", "it has no 'price'"},
      {"{\"type\":\"bid\",\"auction\":1.5,\"bidder\":2}", "'auction' is not an integer"},
      {"{\"type\":\"bid\",\"auction\":1,\"bidder\":2,\"price\":-1}",
       "'price' is -1 and not a price of 0 to"},
      {"{\"type\":\"bid\",\"auction\":1,\"bidder\":2,\"price\":99999999999999999999}",
       "it is no JSON ("},
      {"{\"type\":\"bid\",\"auction\":1,\"bidder\":2,\"price\":9999999999999999999}",
       "'price' is not an integer"},
      {"{\"type\":\"person\",\"id\":1,\"name\":\"\xff\"}", "it is no JSON ("},
      {std::string("\x00\x01\x7f"
                   "ELF",
                   6),
       "it is no JSON ("},
      {"{} {}", "it is no JSON ("},
  };
  const std::string good = generated_lines(5).back();
  for (const auto& [line, expected] : cases) {
    const std::string output = folder_ / "out";
    const Outcome outcome =
        run({"--query=q0", "--input", folder_.write("in", good + good + line + "\n" + good),
             "--output", output});
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_NE(outcome.errors.find(expected), std::string::npos) << outcome.text();
    EXPECT_NE(outcome.errors.find("operator 'map' (subtask 0) at record 3"), std::string::npos)
        << outcome.text();
    EXPECT_LE(lines_of(outcome.errors).size(), 12U);
    EXPECT_TRUE(names_in(output).empty()) << "half written";
  }
}

TEST_F(Nexmark, RefusesWhatItDoesNotOffer) {
  const std::map<std::vector<std::string>, std::string> cases{
      {{"--query", "q5"}, "--query: q5 not in {q0,q1,q2}"},
      {{"--events", "-3"}, "--events"},
      {{"--events", "many"}, "--events"},
      {{"--rate", "-1"}, "--rate"},
      {{"--colour", "red"}, "--colour"},
      {{"--query"}, "--query"},
      {{"--input", "x", "--events", "5"}, " excludes "},
  };
  for (const auto& [arguments, expected] : cases) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 64) << outcome.text();
    EXPECT_NE(outcome.errors.find(expected), std::string::npos) << outcome.text();
    EXPECT_LE(lines_of(outcome.errors).size(), 3U) << outcome.text();
  }
  const Outcome help = run({"--", "--help"});
  EXPECT_EQ(help.code, 0) << help.text();
  EXPECT_NE(help.output.find("--query"), std::string::npos);
}

}  // namespace
