#include "rare_paths/rare_paths.h"

#include <utility>

namespace freshet::core {
namespace {

thread_local RarePathSeed* seed_of_thread = nullptr;

}  // namespace

RarePathSeed::~RarePathSeed() = default;

RarePathSeed* use_rare_path_seed(RarePathSeed* seed) { return std::exchange(seed_of_thread, seed); }

bool takes_rare_path(RarePath path) {
  return seed_of_thread != nullptr && seed_of_thread->takes(path);
}

void passes_rare_path(RarePath path) {
  if (seed_of_thread != nullptr) seed_of_thread->passes(path);
}

}  // namespace freshet::core
