// copy_job FROM TO: lines by the connector 'template-name'.
#include <freshet/freshet.h>

int copy_job(int argc, char** argv) {
  if (argc != 3) throw freshet::InvalidInput("expected FROM TO");
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.from_registered<std::string>("template-name.read", freshet::payload_of(argv[1]))
      .sink_to_registered("template-name.write", freshet::payload_of(argv[2]));
  env.execute("copy");
  return 0;
}

FRESHET_APPLICATION(copy_job);
