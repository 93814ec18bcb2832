// What the processes of a cluster are handed: written and read, of earlier deployers, and malformed.
#include "freshet/cluster_bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "freshet/error.h"

namespace freshet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret(40, 's');
const std::string kClient(40, 'c');

template <class HandOver>
std::string refusal_of(const std::string& text) {
  try {
    static_cast<void>(HandOver::from_text(text));
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "it is accepted";
}

TEST(ClusterBootstrap, WhatAJobManagerIsHandedReadsBack) {
  const JobManagerHandOver handed{
      kSecret, {kClient, std::string(40, 'd')}, {{"log.level", "debug"}, {"odd", "\"\\\n\u00fc"}}};
  const JobManagerHandOver read = JobManagerHandOver::from_text(handed.to_text());
  EXPECT_EQ(read.secret_key, handed.secret_key);
  EXPECT_EQ(read.clients, handed.clients);
  EXPECT_EQ(read.settings, handed.settings);
}

TEST(ClusterBootstrap, WhatATaskManagerIsHandedReadsBack) {
  const TaskManagerHandOver handed{{{"taskmanager.slots", "3"}}};
  EXPECT_EQ(TaskManagerHandOver::from_text(handed.to_text()).settings, handed.settings);
}

TEST(ClusterBootstrap, WhatDeployersWroteBeforeItHadAVersionIsRead) {
  const JobManagerHandOver read =
      JobManagerHandOver::from_text(R"({"secret_key": ")" + kSecret + R"(", "clients": [")" +
                                    kClient + R"("], "settings": {"log.level": "info"}})");
  EXPECT_EQ(read.secret_key, kSecret);
  EXPECT_EQ(read.clients, std::vector<std::string>{kClient});
  EXPECT_EQ(read.settings, (ClusterSettings{{"log.level", "info"}}));
  EXPECT_TRUE(TaskManagerHandOver::from_text("{}").settings.empty());
}

TEST(ClusterBootstrap, AMalformedHandOverNamesTheFieldWhatItIsAndTheFix) {
  const std::string keys =
      R"("secret_key": ")" + kSecret + R"(", "clients": [")" + kClient + R"("])";
  struct Case {
    std::string text, said;
  };
  for (const Case& each : std::vector<Case>{
           {"", "it is empty, not a JSON object"},
           {"[1]", "it is JSON of type array, not an object"},
           {R"({"secret_key": )", "it is not JSON: byte 16 of 15 can't be read"},
           {"{}", "field 'secret_key' is missing"},
           {R"({"secret_key": 7})", "field 'secret_key' is of type number, not a string"},
           {R"({"secret_key": "abc"})", "field 'secret_key' has 3 characters, not 40"},
           {R"({"secret_key": ")" + kSecret + R"("})", "field 'clients' is missing"},
           {R"({"secret_key": ")" + kSecret + R"(", "clients": "x"})",
            "field 'clients' is of type string, not an array"},
           {R"({"secret_key": ")" + kSecret + R"(", "clients": [")" + kClient + R"(", "x"]})",
            "field 'clients[1]' has 1 characters, not 40"},
           {"{" + keys + R"(, "settings": []})",
            "field 'settings' is of type array, not an object"},
           {"{" + keys + R"(, "settings": {"taskmanager.slots": 3}})",
            "field 'settings.taskmanager.slots' is of type number, not a string"},
           {"{" + keys + R"(, "version": "1"})",
            "field 'version' is of type string, not a whole number"},
           {"{" + keys + R"(, "version": 2})", "field 'version' is 2, and this fr ("},
       }) {
    const std::string refusal = refusal_of<JobManagerHandOver>(each.text);
    EXPECT_THAT(refusal, HasSubstr("--inherited: what descriptor 3 holds can't be used: "));
    EXPECT_THAT(refusal, HasSubstr(each.said)) << each.text;
    EXPECT_THAT(refusal, HasSubstr("hand over the text of JobManagerHandOver::to_text()"));
    EXPECT_THAT(refusal, Not(HasSubstr(kSecret)));
  }
  EXPECT_THAT(refusal_of<JobManagerHandOver>(R"({"secret_key": ")" + kSecret),
              Not(HasSubstr("sss")))
      << "a key is not shown where the text breaks off in it either";
  EXPECT_THAT(refusal_of<TaskManagerHandOver>(R"({"settings": 1})"),
              HasSubstr("field 'settings' is of type number, not an object: hand over the text of "
                        "TaskManagerHandOver::to_text()"));
}

TEST(ClusterBootstrap, ARecordHasItsFactsAmongTheDeployersOwn) {
  ClusterRecord record;
  record.cluster_id = "c1";
  record.details["command"] = "ssh host {}";
  EXPECT_EQ(ClusterFacts::mode(record), std::nullopt);
  EXPECT_TRUE(ClusterFacts::settings(record).empty());
  EXPECT_EQ(ClusterFacts::job_manager(record), 0);
  EXPECT_EQ(ClusterFacts::high_availability(record), "");
  ClusterFacts::set_mode(record, ClusterMode::kApplication);
  ClusterFacts::set_settings(record, {{"log.level", "debug"}});
  ClusterFacts::set_job_manager(record, 12);
  ClusterFacts::set_high_availability(record, "shared-folder");
  EXPECT_EQ(record.details,
            (std::map<std::string, std::string>{{"command", "ssh host {}"},
                                                {"mode", "application"},
                                                {"settings", R"({"log.level":"debug"})"},
                                                {"jobmanager", "12"},
                                                {"high-availability", "shared-folder"}}))
      << "as records of earlier versions have them";
  EXPECT_EQ(ClusterFacts::mode(record), ClusterMode::kApplication);
  EXPECT_EQ(ClusterFacts::settings(record), (ClusterSettings{{"log.level", "debug"}}));
  EXPECT_EQ(ClusterFacts::job_manager(record), 12);
}

TEST(ClusterBootstrap, SettingsOfARecordThatCantBeReadAreNamed) {
  ClusterRecord record;
  record.cluster_id = "c1";
  for (const std::string text : {"{", "[]", R"({"log.level": 1})"}) {
    record.details["settings"] = text;
    try {
      static_cast<void>(ClusterFacts::settings(record));
      ADD_FAILURE() << text << " is accepted";
    } catch (const InvalidInput& error) {
      EXPECT_THAT(error.what(), HasSubstr("cluster 'c1' has the detail 'settings' " + text));
      EXPECT_THAT(error.what(), HasSubstr("fr cluster stop --cluster-id=c1"));
    }
  }
}

TEST(ClusterBootstrap, SettingsAreThoseOfTheClusterAsText) {
  Configuration configuration;
  const Origin here = Origin::command_line("-D");
  configuration.set_raw("taskmanager.slots", "3", here);
  configuration.set_raw("parallelism.default", "2", here);
  configuration.set_raw("plugin.dirs", "/plugins", here);
  configuration.set_raw("high-availability.type", "snow", here);
  configuration.set_raw("snow.folder", "/kept", here);
  EXPECT_EQ(cluster_settings(configuration), (ClusterSettings{{"taskmanager.slots", "3"},
                                                              {"plugin.dirs", "/plugins"},
                                                              {"high-availability.type", "snow"},
                                                              {"snow.folder", "/kept"}}));
  configuration.set_raw("plugin.dirs", "/a\xff", here);
  try {
    static_cast<void>(cluster_settings(configuration));
    ADD_FAILURE();
  } catch (const InvalidInput& error) {
    EXPECT_THAT(error.what(), HasSubstr("option 'plugin.dirs' ('/a?', "));
    EXPECT_THAT(error.what(), HasSubstr("it is not UTF-8"));
  }
}

}  // namespace
}  // namespace freshet
