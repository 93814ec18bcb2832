// Has a seed take rare paths, and counts them. Half of the offered ones are left out in each
// simulation, so that each also happens without the others.
//
// Threads    That of the simulation, on which it counts from construction to destruction.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>

#include "rare_paths/rare_paths.h"
#include "simulation/seeded_random.h"

namespace freshet::core {

using RarePathCounts = std::array<std::uint64_t, std::size(kRarePaths)>;

class SeededRarePaths final : public RarePathSeed {
 public:
  SeededRarePaths(std::uint64_t seed, bool offers) : random_(seed), offers_(offers) {
    for (bool& is_in : in_) is_in = random_.one_in(2);
    before_ = use_rare_path_seed(this);
  }
  ~SeededRarePaths() override { use_rare_path_seed(before_); }
  SeededRarePaths(const SeededRarePaths&) = delete;
  SeededRarePaths& operator=(const SeededRarePaths&) = delete;

  // From now on none is offered.
  void stop() { offers_ = false; }
  const RarePathCounts& counts() const { return counts_; }

  bool takes(RarePath path) override {
    const auto at = static_cast<std::size_t>(path);
    if (!offers_ || !in_[at] || !random_.one_in(kRarePaths[at].one_in)) return false;
    ++counts_[at];
    return true;
  }
  void passes(RarePath path) override { ++counts_[static_cast<std::size_t>(path)]; }

 private:
  SeededRandom random_;
  bool offers_;
  std::array<bool, std::size(kRarePaths)> in_{};
  RarePathCounts counts_{};
  RarePathSeed* before_ = nullptr;
};

}  // namespace freshet::core
