// Highest values of sensors, with a source and a sink of one's own:
//   fr-run libsensor_readings.so --target=local INPUT_FOLDER OUTPUT_FOLDER
#include <freshet/freshet.h>

#include <cstdio>

#include "readings_source.h"
#include "report_sink.h"

int sensor_readings(int argc, char** argv) {
  constexpr int kBadUsage = 64;
  if (argc != 3) {
    std::fprintf(stderr, "sensor_readings: expected INPUT_FOLDER OUTPUT_FOLDER, got %d words\n",
                 argc - 1);
    return kBadUsage;
  }
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  // Each new value as it comes, although the input has an end.
  env.configuration().set(freshet::options::kExecutionRuntimeMode,
                          freshet::RuntimeMode::kStreaming);
  env.from_source(ReadingsSource{argv[1]}, "readings")
      .key_by(&Reading::sensor)
      .max(&Reading::value)
      .sink_to(ReportSink{argv[2]}, "report");
  env.execute("sensor readings");
  return 0;
}

FRESHET_APPLICATION(sensor_readings);
