// The job of docs/plugin-authors/connectors.md: notes_job FROM TO.
#include <freshet/freshet.h>

int notes_job(int argc, char** argv) {
  if (argc != 3) throw freshet::InvalidInput("expected two paths: FROM TO");
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.from_registered<std::string>("notes.read", freshet::payload_of(argv[1]))
      .map([](const std::string& line) { return "> " + line; })
      .sink_to_registered("notes.write", freshet::payload_of(argv[2]));
  env.execute("notes");
  return 0;
}

FRESHET_APPLICATION(notes_job);
