// A program that embeds Freshet, and an application with connectors of its own.
#include <gtest/gtest.h>

#include <map>

#include "fr_run.h"
#include "rows.h"

namespace {

using namespace freshet::testing;

TEST(Embedded, RunsItsPipelinesInItsOwnProcess) {
  const FrRun surroundings;
  const Outcome outcome = run({path_from("FRESHET_TEST_EMBEDDED")}, surroundings.surroundings());
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.errors, "");
  EXPECT_EQ(
      lines_of(outcome.output),
      (std::vector<std::string>{"submitted: odd squares", "ended: odd squares, finished",
                                "sum of the odd squares up to 100: 166650", "submitted: ticks",
                                "ended: ticks, canceled", "ticks is canceled"}));
}

class SensorReadings : public ::testing::Test {
 protected:
  Outcome read(const std::string& input, const std::string& output, int parallelism = 1) const {
    return fr_run_({path_from("FRESHET_TEST_SENSOR_READINGS"), "--target=local",
                    "--parallelism=" + std::to_string(parallelism), input, output});
  }

  ScratchFolder folder_;
  FrRun fr_run_;
};

TEST_F(SensorReadings, ReportsTheHighestValueSoFarWithItsTime) {
  folder_.write("in/1.csv", "rain,1000,1.5\nwind,1001,2\nrain,1002,1\n");
  folder_.write("in/2.csv", "rain,1003,7");
  folder_.write("in/notes.txt", "not a reading");
  const Outcome outcome = read(folder_ / "in", folder_ / "out");
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(names_in(folder_ / "out"), std::vector<std::string>{"report-0.txt"});
  EXPECT_EQ(text_of_file(folder_ / "out/report-0.txt"),
            "sensor\ttime\thighest so far\nrain\t1000\t1.5\nwind\t1001\t2\nrain\t1002\t1.5\n"
            "rain\t1003\t7\n4 rows, the last of 1003\n");
}

TEST_F(SensorReadings, SharesFilesAmongSubtasks) {
  for (int file = 0; file < 20; ++file) {
    std::string text;
    for (int i = 0; i < 50; ++i) {
      text += "s" + std::to_string(i % 7) + "," + std::to_string(file * 1'000 + i) + "," +
              std::to_string(file == 13 && i < 7 ? 1'000 + i : i) + "\n";
    }
    folder_.write("in/" + std::to_string(100 + file) + ".csv", text);
  }
  const Outcome outcome = read(folder_ / "in", folder_ / "out", 4);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  std::map<std::string, double> highest;
  std::size_t rows = 0;
  ASSERT_EQ(names_in(folder_ / "out").size(), 4U);
  for (const std::string& name : names_in(folder_ / "out")) {
    auto lines = lines_of(text_of_file(folder_ / ("out/" + name)));
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(lines.back().rfind(std::to_string(lines.size() - 2) + " rows", 0), 0U) << name;
    for (std::size_t i = 1; i + 1 < lines.size(); ++i, ++rows) {
      const std::string sensor = lines[i].substr(0, lines[i].find('\t'));
      highest[sensor] = std::stod(lines[i].substr(lines[i].rfind('\t') + 1));
    }
  }
  EXPECT_EQ(rows, 20U * 50);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(highest["s" + std::to_string(i)], 1'000 + i);
}

TEST_F(SensorReadings, NamesFileAndLineOfADamagedReadingAndLeavesNoReport) {
  folder_.write("in/1.csv", "rain,1000,1.5\nrain;1001;2\n");
  const Outcome outcome = read(folder_ / "in", folder_ / "out");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.errors.find("in/1.csv:2: 'rain;1001;2' is no reading"), std::string::npos)
      << outcome.text();
  EXPECT_TRUE(names_in(folder_ / "out").empty());
}

TEST_F(SensorReadings, TakesAFolderForNoEmptyFile) {
  folder_.write("in/1.csv/2.csv", "rain,1000,1.5\n");
  const Outcome outcome = read(folder_ / "in", folder_ / "out");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.errors.find("can't read '" + (folder_ / "in/1.csv") + "' to its end"),
            std::string::npos)
      << outcome.text();
  EXPECT_TRUE(names_in(folder_ / "out").empty());
}

TEST_F(SensorReadings, RefusesAFolderThatIsMissingAndTooFewArguments) {
  const Outcome missing = read(folder_ / "nowhere", folder_ / "out");
  EXPECT_EQ(missing.code, 70) << missing.text();
  EXPECT_NE(missing.errors.find("can't read the folder '" + (folder_ / "nowhere") + "'"),
            std::string::npos)
      << missing.text();
  const Outcome usage = fr_run_.local(path_from("FRESHET_TEST_SENSOR_READINGS"), {"in"});
  EXPECT_EQ(usage.code, 64) << usage.text();
}

}  // namespace
