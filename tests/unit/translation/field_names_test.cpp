// Records whose schemas are equal and whose fields have other names: a job's, and a connector's.
#include "freshet/plugin/operator.h"
#include "test_pipelines.h"

namespace freshet::core {
namespace {

struct Person {
  std::string name;
  std::string city;
};
struct Swapped {
  std::string city;
  std::string name;
};
struct Renamed {
  std::string customer;
  std::string town;
};
struct Inside {
  std::int64_t id;
  Person person;
};
struct SwappedInside {
  std::int64_t id;
  Swapped person;
};
using Pair = std::pair<std::string, std::string>;

class FieldNames : public testing::TranslationTest {
 protected:
  // The job takes the source's records for `job`, and gives its sink `job`.
  void meet(const RecordType& job, RecordTypeGetter connector) {
    modules_.make_descriptor("Read", 1, true, "people.read")->writes = connector;
    modules_.make_descriptor("Write", 1, true, "people.write")->reads = connector;
    at(read_).outputs = {&job};
    for (const std::uint32_t v : {read_, write_}) at(v).descriptor = nullptr;
    at(read_).registered_name = "people.read";
    at(write_).registered_name = "people.write";
  }
  const std::uint32_t read_ = source("people");
  const std::uint32_t write_ = sink("archive", {read_});
};

TEST_F(FieldNames, TheSameInAnotherOrderAreRefused) {
  meet(record_type<Swapped>(), &record_type<Person>);
  EXPECT_EQ(refusal(),
            "'people' sends records {name:string,city:string}, the job reads "
            "{city:string,name:string}: fields are matched by their place, and these names stand "
            "in another order: put the fields of the job's struct into the operator's order");
}

TEST_F(FieldNames, TheSameInAnotherOrderAreRefusedBeforeASink) {
  meet(record_type<Swapped>(), &record_type<Person>);
  at(read_).descriptor = modules_.make_descriptor("of the job");
  EXPECT_EQ(refusal().find("'people' sends records {city:string,name:string}, 'archive' reads "
                           "{name:string,city:string}: fields are matched by their place, and"),
            0u)
      << refusal();
}

TEST_F(FieldNames, TheSameInAnotherOrderAreRefusedInsideARecord) {
  meet(record_type<SwappedInside>(), &record_type<Inside>);
  EXPECT_NE(refusal().find("{id:i64,person:{city:string,name:string}}"), std::string::npos)
      << refusal();
}

TEST_F(FieldNames, OthersAreAWarning) {
  meet(record_type<Renamed>(), &record_type<Person>);
  const JobGraph job = translate();
  ASSERT_EQ(job.warnings.size(), 2u);
  EXPECT_EQ(
      job.warnings[0],
      "'people' sends records {name:string,city:string}, the job reads "
      "{customer:string,town:string}: fields are matched by their place, and these have other "
      "names: see that they mean the same");
  EXPECT_NE(job.warnings[1].find("'archive' reads {name:string,city:string}"), std::string::npos);
  EXPECT_EQ(JobGraph::from_bytes(job.to_bytes()).warnings, job.warnings);
}

TEST_F(FieldNames, AlikeOrUnknownAreFine) {
  for (const RecordType* job : {&record_type<Person>(), &record_type<Pair>()}) {
    meet(*job, &record_type<Person>);
    EXPECT_TRUE(translate().warnings.empty());
  }
}

TEST_F(FieldNames, GoIntoThePlanAndNotIntoTheFingerprint) {
  meet(record_type<Person>(), &record_type<Person>);
  const JobGraph job = translate();
  const JobVertex::OutputSchema& output = job.vertices[0].outputs.at(0);
  EXPECT_EQ(output.schema, "{string,string}");
  EXPECT_EQ(output.fields, "{name:string,city:string}");
  EXPECT_EQ(output.fingerprint, record_type<Pair>().schema().fingerprint());
  EXPECT_EQ(JobGraph::from_bytes(job.to_bytes()).vertices[0].outputs.at(0).fields, output.fields);
}

}  // namespace
}  // namespace freshet::core
