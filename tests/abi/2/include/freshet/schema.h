// schema_of<T>(): the schema of a record type, whose fingerprint stands on every edge and state.
#pragma once

#include "freshet/serde.h"
#include "freshet/serde/schema_builder.h"

namespace freshet {

// Made at the first call, lives until the process ends. Any thread.
template <class T>
const Schema& schema_of() {
  FRESHET_REQUIRE_SERDE(T);
  static const Schema schema = [] {
    Schema made;
    if constexpr (Serializable<T>) {
      SchemaBuilder builder(made);
      Serde<T>::describe(builder);
    }
    return made;
  }();
  return schema;
}

}  // namespace freshet
