// tag-in-names TAG: the build tag, its instruction sets in names.
#include <cstdio>

#include "shared_objects/build_tag.h"

int main(int, char** argv) {
  const freshet::core::BuildTag tag(argv[1]);
  for (const auto& [field, value] : tag.fields())
    std::printf("%s%s=%s", field == "stdlib" ? "" : ";", field.c_str(), value.c_str());
  std::printf("\n");
}
